package backendtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func notifyTopics() []topic {
	const needs = "Notifier"
	has := offers[taskflow.Notifier]
	return []topic{
		{name: "notify/soon after a message", needs: "Notifier and Messenger", has: offersBoth[taskflow.Notifier, taskflow.Messenger], test: wakesAfterPost},
		{name: "notify/soon after tasks became free", needs: needs, has: has, test: wakesAfterFreeing},
		{name: "notify/ends with its context", needs: needs, has: has, test: notifyEndsWithContext},
		{name: "notify/ends with Close", needs: needs, has: has, test: notifyEndsWithClose},
	}
}

// notified runs Notify of a backend until stop, which waits for it and returns its error.
func (k *kit) notified(ctx context.Context, b taskflow.Backend) (woken <-chan struct{}, ended <-chan error, stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	wake, end := make(chan struct{}, 1), make(chan error, 1)
	go func() { // ended by stop, at the latest by the test's clean-up
		defer close(end)
		end <- b.(taskflow.Notifier).Notify(ctx, func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		})
	}()
	stop = func() error {
		cancel()
		select {
		case err := <-end: // nil when somebody else has received it
			return err
		case <-time.After(k.patience):
			return fmt.Errorf("it has not returned %v later", k.patience)
		}
	}
	k.Cleanup(func() { _ = stop() })
	return wake, end, stop
}

// wakes does something again and again until it wakes, because Notify may not listen yet; then ten times more, each of which must.
func (k *kit) wakes(what string, woken <-chan struct{}, do func(n int)) {
	k.Helper()
	n := 0
	k.eventually("Notify wakes after "+what, func() bool {
		n++
		do(n)
		select {
		case <-woken:
			return true
		case <-time.After(100 * time.Millisecond):
			return false
		}
	})
	for range 10 {
		select {
		case <-woken: // of one of those before
		default:
		}
		n++
		do(n)
		select {
		case <-woken:
		case <-time.After(k.patience):
			k.Fatalf("Notify has not woken anybody %v after %s", k.patience, what)
		}
	}
}

func wakesAfterPost(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	woken, ended, _ := k.notified(ctx, here)
	position := k.receive(ctx, here, "", 1)
	k.wakes("Post", woken, func(n int) {
		k.post(ctx, there, fmt.Sprint(n))
		select {
		case err := <-ended:
			k.Fatalf("Notify ended with %v", err)
		default:
		}
	})
	// the message can be had once woken
	k.post(ctx, there, "last")
	k.eventually("the last message comes", func() bool {
		bodies, next, err := here.(taskflow.Messenger).Receive(ctx, position, 100)
		k.must(err, "Receive")
		position = next
		return len(bodies) > 0 && string(bodies[len(bodies)-1]) == "last"
	})
}

func wakesAfterFreeing(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	woken, _, _ := k.notified(ctx, here)
	k.wakes("SavePending", woken, func(n int) {
		_, err := there.SavePending(ctx, []taskflow.Record{waiting(n)})
		k.must(err, "SavePending")
	})
	s, instances := there.(taskflow.InstanceStore)
	j, journal := there.(taskflow.Journal)
	if !instances || !journal {
		return
	}
	k.wakes("Leave", woken, func(n int) {
		k.must(s.Join(ctx, instance("leaves"), time.Hour), "Join")
		k.must(j.PutPending(ctx, []taskflow.Record{ownedBy("leaves", waiting(10_000+n))}), "PutPending")
		k.must(s.Leave(ctx, "leaves"), "Leave")
	})
	k.wakes("Expire", woken, func(n int) {
		k.must(j.PutPending(ctx, []taskflow.Record{ownedBy("ghost", waiting(20_000+n))}), "PutPending")
		_, err := s.Expire(ctx)
		k.must(err, "Expire")
	})
}

func notifyEndsWithContext(k *kit) {
	b, ctx := k.start(), k.context()
	_, ended, stop := k.notified(ctx, b)
	if _, ok := b.(taskflow.Messenger); ok {
		k.post(ctx, b, "hello")
	}
	select {
	case err := <-ended:
		k.Fatalf("Notify ended with %v before its context did", err)
	default:
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		k.Errorf("Notify whose context has ended: %v; want that it returns an error that wraps context.Canceled", err)
	}
}

func notifyEndsWithClose(k *kit) {
	b, ctx := k.start(), k.context()
	_, ended, _ := k.notified(ctx, b)
	k.must(b.Close(), "Close")
	select {
	case err := <-ended:
		if err == nil {
			k.Error("Notify of a closed backend returned no error")
		}
	case <-time.After(k.patience):
		k.Errorf("Notify has not returned %v after Close", k.patience)
	}
}
