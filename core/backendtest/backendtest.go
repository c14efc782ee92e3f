// Package backendtest proves that a [taskflow.Backend] keeps the contract. A test of your own backend is this:
//
//	func TestBackend(t *testing.T) {
//		backendtest.Run(t, func(t *testing.T) taskflow.Backend {
//			return mybackend.New(t.TempDir())
//		})
//	}
//
// The six methods are always tested. What the backend offers beyond them is found as a manager finds it, by type assertion,
// and tested too; what it does not offer is no failure: its topics are skipped, and listed at the end (go test -v shows both). A backend whose data outlives it is tested with a
// [Harness], which also closes it and looks again.
//
// The package measures nothing: see the benchmarks of package backends/sqlite for that.
package backendtest

import (
	"context"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
	"pgregory.net/rapid"
)

// Harness says how to make the backend under test.
type Harness struct {
	// Open returns a new, empty backend, which the tests close. One that implements [taskflow.Opener] is returned unopened: the
	// tests open it. It is called a few hundred times; shared resources (a server) need separate names each time.
	Open func(t *testing.T) taskflow.Backend
	// Reopen returns another backend with the data of one that Open returned and that has been closed since. Nil: the data
	// ends with the backend.
	Reopen func(t *testing.T, closed taskflow.Backend) taskflow.Backend
	// Other returns another backend with the data of one that is open, as a second process would have it: whatever instances share
	// is then tested with half of the calls coming through each. One that implements [taskflow.Opener] is returned unopened. Nil:
	// the data can be reached through one backend only.
	Other func(t *testing.T, open taskflow.Backend) taskflow.Backend
	// Long makes the largest batches ten times as large, 100,000 records; minutes, with some backends.
	Long bool
}

// Run tests the backend that open returns, each time a new and empty one. See [Harness] for a backend whose data outlives it.
func Run(t *testing.T, open func(t *testing.T) taskflow.Backend) {
	t.Helper()
	Harness{Open: open}.Run(t)
}

// Run tests the backend, a subtest for each topic.
func (h Harness) Run(t *testing.T) {
	t.Helper()
	var missing untested
	t.Cleanup(func() { // after the subtests, those that Open makes parallel too
		if list := missing.String(); list != "" {
			t.Log(list)
		}
	})
	for _, tp := range topics() {
		t.Run(tp.name, func(t *testing.T) {
			k := &kit{tester: t, untested: &missing, open: func() taskflow.Backend { return h.Open(t) }, long: h.Long, patience: patience}
			if h.Reopen != nil {
				k.reopen = func(closed taskflow.Backend) taskflow.Backend { return h.Reopen(t, closed) }
			}
			if h.Other != nil {
				k.other = func(open taskflow.Backend) taskflow.Backend { return h.Other(t, open) }
			}
			k.run(tp)
		})
	}
}

// topic is one promise, or a few that belong together.
type topic struct {
	name  string
	needs string // what of the optional a backend must offer for it, for whoever reads that it was skipped
	has   func(taskflow.Backend) bool
	test  func(*kit)
}

// topics lists them all; each file of this package has its own.
func topics() []topic {
	var all []topic
	for _, list := range [][]topic{
		historyTopics(), pendingTopics(), queryTopics(), modelTopics(), statsTopics(), deleteTopics(), claimTopics(), journalTopics(),
		fenceTopics(), instanceTopics(), leaseTopics(), pendingQueryTopics(), keyTopics(), slotTopics(), messageTopics(), notifyTopics(),
		auditTopics(), secretTopics(), stateTopics(), seriesTopics(), textTopics(), timeTopics(), largeTopics(), concurrencyTopics(), contextTopics(), closeTopics(),
	} {
		all = append(all, list...)
	}
	return all
}

// offers makes topic.has of an optional interface.
func offers[T any](b taskflow.Backend) bool { _, ok := b.(T); return ok }

// offersBoth is offers for a promise that takes two of them.
func offersBoth[T, U any](b taskflow.Backend) bool { return offers[T](b) && offers[U](b) }

// tester is what the topics need of a test: *testing.T and *rapid.T have it.
type tester interface {
	rapid.TB
	Cleanup(func())
}

// kit is what a topic works with: the test, and backends.
type kit struct {
	tester
	untested *untested
	open     func() taskflow.Backend
	reopen   func(closed taskflow.Backend) taskflow.Backend // nil: the data ends with the backend
	other    func(open taskflow.Backend) taskflow.Backend   // nil: there is no other way to the data
	long     bool
	// patience is how long to wait for what must come soon. What never comes costs all of it.
	patience time.Duration
}

const patience = 15 * time.Second

func (k *kit) run(tp topic) {
	k.Helper()
	if tp.has != nil && !tp.has(k.open()) {
		k.skip("the backend does not implement taskflow." + tp.needs)
	}
	tp.test(k)
}

// start returns a new backend, opened and closed with the test.
func (k *kit) start() taskflow.Backend {
	k.Helper()
	return k.opened(k.open())
}

func (k *kit) opened(b taskflow.Backend) taskflow.Backend {
	k.Helper()
	if o, ok := b.(taskflow.Opener); ok {
		if err := o.Open(k.context()); err != nil {
			k.Fatalf("Open: %v", err)
		}
	}
	k.Cleanup(func() {
		if err := b.Close(); err != nil {
			k.Errorf("Close: %v", err)
		}
	})
	return b
}

// pair returns two new backends with the same data; or the same one twice, where there is only one way to the data.
func (k *kit) pair() (here, there taskflow.Backend) {
	k.Helper()
	here = k.start()
	if k.other == nil {
		return here, here
	}
	return here, k.opened(k.other(here))
}

// eventually repeats f until it returns true, for as long as the patience lasts.
func (k *kit) eventually(what string, f func() bool) {
	k.Helper()
	end := time.NewTimer(k.patience)
	defer end.Stop()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for !f() {
		select {
		case <-again.C:
		case <-end.C:
			k.Fatalf("%s: not within %v", what, k.patience)
		}
	}
}

// context ends long before the test binary's own limit, so that a method that hangs is reported by name.
func (k *kit) context() context.Context { return k.contextFor(time.Minute) }

func (k *kit) contextFor(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	k.Cleanup(cancel)
	return ctx
}

func (k *kit) must(err error, operation string) {
	k.Helper()
	if err != nil {
		k.Fatalf("%s: %v", operation, err)
	}
}
