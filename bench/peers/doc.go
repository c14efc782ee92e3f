// Package peers measures durable tasks next to peers that make the same promise: in one run, in turns, on the same settings of
// the same engine. See ../README.md for the commands and for results.
package peers
