//go:build !unix

package doctest

import "testing"

// runExample needs process groups, to stop what go run has started.
func runExample(t *testing.T, _ []string) {
	t.Helper()
	t.Skip("no process groups on this system")
}
