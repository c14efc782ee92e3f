// Package scale measures large numbers of tasks in every backend: how soon a start has taken over what waits, and how soon a page of a
// long history is there. See ../README.md for the commands and for results.
package scale
