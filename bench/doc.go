// Package bench measures taskflow, next to its peers where they do the same, in one run on one machine. It is a module of its
// own, so that nobody who uses taskflow depends on the peers. See README.md for the commands and for results.
package bench
