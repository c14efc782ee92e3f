//go:build !unix

package adaptertest

import "testing"

// testSignals has nothing to test here: other systems have no signals that one process can send to another.
func testSignals(*testing.T, Framework) {}
