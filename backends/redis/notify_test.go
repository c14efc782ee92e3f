package redis_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/redis"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// listener is a Notify under way.
type listener struct {
	t     *testing.T
	woken chan struct{}
	ended chan error
	end   context.CancelFunc
}

func listen(t *testing.T, b *redis.Backend) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &listener{t, make(chan struct{}, 1), make(chan error, 1), cancel}
	done := make(chan struct{})
	go func() { // ends with the test, which waits for it
		defer close(done)
		l.ended <- b.Notify(ctx, func() {
			select {
			case l.woken <- struct{}{}:
			default:
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return l
}

// awaken waits for a call of wake.
func (l *listener) awaken(why string) {
	l.t.Helper()
	select {
	case <-l.woken:
	case err := <-l.ended:
		l.t.Fatalf("%s: Notify has ended: %v", why, err)
	case <-time.After(30 * time.Second):
		l.t.Fatalf("%s: wake was not called", why)
	}
}

// calm forgets calls of wake that have come.
func (l *listener) calm() {
	select {
	case <-l.woken:
	default:
	}
}

func TestNotifySurvivesARestartOfTheServer(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t)
	first, second := opened(t, server.URL), opened(t, server.URL)
	l := listen(t, first)
	l.awaken("at the beginning")
	for range 2 {
		server.Kill()
		server.Start()
		l.awaken("after its connection was lost, when it may have missed something")
		l.calm()
		if err := second.Post(t.Context(), []byte("hello")); err != nil {
			t.Fatal(err)
		}
		l.awaken("after a message")
	}
	l.end()
	if err := <-l.ended; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "notify") {
		t.Errorf("Notify returned %v, want context.Canceled", err)
	}
}

func TestNotifyTellsOfFreeRowsByWhomever(t *testing.T) {
	t.Parallel()
	first, other := pair(t)
	l := listen(t, first)
	l.awaken("at the beginning")
	ctx := t.Context()
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"SavePending", func() error { return second(other.SavePending(ctx, []taskflow.Record{pending(1, "")})) }},
		{"PutPending without an owner", func() error { return other.PutPending(ctx, []taskflow.Record{pending(2, "")}) }},
		{"Expire", func() error {
			put(t, other, pending(3, "nobody"))
			return second(other.Expire(ctx))
		}},
		{"Leave", func() error {
			if err := other.Join(ctx, taskflow.Instance{ID: "me"}, time.Hour); err != nil {
				return err
			}
			put(t, other, pending(4, "me"))
			return other.Leave(ctx, "me")
		}},
	} {
		l.calm()
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		l.awaken(step.name)
	}
}

func TestNotifyGivesUp(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t)
	b := opened(t, server.URL)
	l := listen(t, b)
	l.awaken("at the beginning")
	server.Stop()
	select {
	case err := <-l.ended:
		if !errors.Is(err, redis.ErrUnavailable) {
			t.Errorf("Notify without a server returned %v, want ErrUnavailable", err)
		}
	case <-time.After(time.Minute):
		t.Error("Notify without a server goes on for ever")
	}
}

func TestWhoMayNotListenCanWriteAllTheSame(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t, testserver.WithArgs(strings.Fields("--user deaf on >geheim ~* resetchannels +@all")...))
	b := opened(t, "redis://deaf:geheim@"+server.Addr)
	if err := <-listen(t, b).ended; !errors.Is(err, redis.ErrAccess) {
		t.Errorf("Notify by a user without channels returned %v, want ErrAccess", err)
	}
	put(t, b, pending(1, ""))
	if err := b.Post(t.Context(), []byte("hello")); err != nil {
		t.Errorf("Post by a user without channels: %v", err)
	}
}

func TestNotifyEndsWithClose(t *testing.T) {
	t.Parallel()
	b := redis.Open(testserver.SharedRedis(t).URL, redis.Prefix(newPrefix()), quiet())
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := listen(t, b)
	l.awaken("at the beginning")
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := <-l.ended; !errors.Is(err, redis.ErrClosed) {
		t.Errorf("Notify returned %v, want ErrClosed", err)
	}
}
