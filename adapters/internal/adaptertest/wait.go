package adaptertest

import (
	"testing"
	"time"
)

// Eventually waits until cond holds.
func Eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	timeout := time.After(Patience)
	for !cond() {
		select {
		case <-poll.C:
		case <-timeout:
			t.Fatalf("still not so after %v: %s", Patience, what)
		}
	}
}

// Receive returns what comes from ch.
func Receive[T any](t testing.TB, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(Patience):
		t.Fatalf("%s: nothing within %v", what, Patience)
		panic("unreachable")
	}
}
