package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/taskflow-go/taskflow/backends/redis"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// fillUp saves until it fails, and returns how many records were accepted and the error.
func fillUp(t *testing.T, b taskflow.Backend) (accepted int, err error) {
	t.Helper()
	for accepted < 100_000 {
		batch := records(accepted, accepted+200)
		for i := range batch {
			batch[i].Stack = strings.Repeat("x", 1000)
		}
		if _, err := b.Save(t.Context(), batch); err != nil {
			return accepted, err
		}
		accepted += len(batch)
	}
	t.Fatal("100,000 records fitted in")
	return 0, nil
}

func TestFullServerKeepsWhatItHasAndRecovers(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t, testserver.WithArgs("--maxmemory", "8mb", "--maxmemory-policy", "noeviction"))
	b := opened(t, server.URL)
	me := taskflow.Instance{ID: "me"}
	if err := b.Join(t.Context(), me, time.Hour); err != nil {
		t.Fatal(err)
	}
	put(t, b, pending(200_000, ""))
	accepted, err := fillUp(t, b)
	if !errors.Is(err, redis.ErrFull) || !strings.Contains(err.Error(), "redis: save: ") || !strings.Contains(err.Error(), server.Addr) {
		t.Fatalf("Save returned %v; want ErrFull, the operation and the server", err)
	}
	if n := stored(t, b); n != accepted || n == 0 {
		t.Errorf("%d records are stored, %d were accepted", n, accepted)
	}
	if s, err := b.Stats(t.Context()); err != nil || s.Total() != int64(accepted) {
		t.Errorf("Stats counts %d (%v), want %d", s.Total(), err, accepted)
	}
	config(t, b, "config set maxmemory 1mb") // there is no doubt from here on
	if err := b.PutPending(t.Context(), []taskflow.Record{pending(200_001, ""), pending(200_002, "me")}); !errors.Is(err, redis.ErrFull) {
		t.Errorf("PutPending returned %v, want ErrFull", err)
	}
	if waiting, err := b.LoadPending(t.Context()); err != nil || len(waiting) != 1 {
		t.Errorf("LoadPending returned %d records, %v; want the one that was there before", len(waiting), err)
	}
	// leases must not end because the memory is full, and what waits can be taken
	if err := b.Renew(t.Context(), me, time.Hour); err != nil {
		t.Errorf("Renew at a full server: %v", err)
	}
	if rows, err := b.Claim(t.Context(), "me", []string{"send_email"}, 10); err != nil || len(rows) != 1 {
		t.Errorf("Claim at a full server returned %d rows, %v; want 1", len(rows), err)
	}
	late := redis.Open(server.URL, quiet())
	if err := late.Open(t.Context()); err != nil {
		t.Errorf("Open of a full server: %v", err)
	}
	if err := late.Close(); err != nil {
		t.Error(err)
	}
	if _, err := b.DeleteBefore(t.Context(), record(accepted/2).CreatedAt); err != nil {
		t.Fatalf("DeleteBefore at a full server: %v", err)
	}
	config(t, b, "config set maxmemory 8mb")
	save(t, b, records(accepted, accepted+20)...)
	if n := stored(t, b); n != accepted-accepted/2+20 {
		t.Errorf("%d records are stored after deleting the older half of %d and saving 20", n, accepted)
	}
}

// Nothing that was accepted is lost when the server is killed and comes back, and the same backend goes on.
func TestRestartOfTheServer(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t, testserver.WithArgs("--appendfsync", "always"))
	b := opened(t, server.URL)
	me := taskflow.Instance{ID: "me"}
	if err := b.Join(t.Context(), me, time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ReserveKey(t.Context(), taskflow.Reservation{Key: "key", TaskID: record(0).ID, Owner: "me", Retention: time.Hour}); err != nil {
		t.Fatal(err)
	}
	_, position, err := b.Receive(t.Context(), "", 1)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		n := round * 10
		save(t, b, records(n, n+5)...)
		put(t, b, pending(n+5, "me"), pending(n+6, "me"))
		if err := b.Post(t.Context(), fmt.Append(nil, round)); err != nil {
			t.Fatal(err)
		}
		server.Kill()
		start := time.Now()
		if _, err := b.Save(t.Context(), records(n+7, n+8)); !errors.Is(err, redis.ErrUnavailable) {
			t.Errorf("Save without a server returned %v, want ErrUnavailable", err)
		}
		if d := time.Since(start); d > 4*time.Second {
			t.Errorf("Save without a server took %v: it is to fail fast", d)
		}
		server.Start()
		if got := stored(t, b); got != (round+1)*5 { // the first call after it works: no connection of before is used
			t.Errorf("after restart %d there are %d finished records, want %d", round+1, got, (round+1)*5)
		}
	}
	if waiting, err := b.LoadPending(t.Context()); err != nil || len(waiting) != 6 {
		t.Errorf("LoadPending returned %d records, %v; want 6", len(waiting), err)
	}
	if err := b.Renew(t.Context(), me, time.Hour); err != nil {
		t.Errorf("Renew after the restarts: %v", err)
	}
	if holder, err := b.ReserveKey(t.Context(), taskflow.Reservation{Key: "key", TaskID: record(1).ID, Owner: "me", Retention: time.Hour}); err != nil || holder != record(0).ID {
		t.Errorf("ReserveKey after the restarts gave the key to %q, %v", holder, err)
	}
	if bodies, _, err := b.Receive(t.Context(), position, 10); err != nil || string(bytesJoin(bodies)) != "012" {
		t.Errorf("Receive after the restarts returned %q, %v; want the three messages", bodies, err)
	}
}

func bytesJoin(parts [][]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// A server that answers nobody must not hold up who has no time, and what it did in the end is known.
func TestServerThatHangs(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t)
	b := opened(t, server.URL+"?read_timeout=60s&dial_timeout=60s")
	save(t, b, record(1))
	server.Pause()
	for _, c := range []struct {
		name    string
		context func() (context.Context, context.CancelFunc)
		is      error
	}{
		{"a deadline", func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), 20*time.Millisecond)
		}, context.DeadlineExceeded},
		{"a cancellation", func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(20*time.Millisecond, cancel)
			return ctx, cancel
		}, context.Canceled},
	} {
		ctx, cancel := c.context()
		start := time.Now()
		if _, err := b.Save(ctx, records(2, 3)); !errors.Is(err, c.is) {
			t.Errorf("Save with %s returned %v, want %v", c.name, err, c.is)
		}
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("Save with %s of 20 ms returned after %v", c.name, d)
		}
		cancel()
	}
	server.Resume()
	save(t, b, record(3))
	if n := stored(t, b); n < 2 || n > 3 { // the one that nobody waited for may have been saved
		t.Errorf("%d records are stored", n)
	}
}

func TestCloseDoesNotWaitForAServerThatHangs(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t)
	b := redis.Open(server.URL+"?read_timeout=-1", quiet())
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Pause()
	saving := make(chan error, 1)
	begun := make(chan struct{})
	go func() { // awaited below
		close(begun)
		_, err := b.Save(context.Background(), records(0, 1)) // without an end: Close is what ends it
		saving <- err
	}()
	<-begun
	start := time.Now()
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("Close took %v", d)
	}
	if err := <-saving; err == nil {
		t.Error("Save at a server that hangs returned no error")
	}
	server.Resume()
}

// A script that is not known any more is sent again.
func TestServerThatForgetsScripts(t *testing.T) {
	t.Parallel()
	b := opened(t, testserver.Redis(t).URL)
	save(t, b, record(1))
	config(t, b, "script flush")
	save(t, b, record(2))
	if n := stored(t, b); n != 2 {
		t.Errorf("%d records are stored, want 2", n)
	}
}

func TestClusterOfOneNode(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t, testserver.WithArgs("--cluster-enabled", "yes"))
	plain := goredis.NewClient(&goredis.Options{Addr: server.Addr})
	if err := plain.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	if err := plain.Close(); err != nil {
		t.Fatal(err)
	}
	url := "redis://" + server.Addr + "?addr=" + server.Addr
	b := openPatiently(t, url)
	save(t, b, records(0, 30)...)
	put(t, b, pending(40, "me"), pending(41, ""))
	if rows, err := b.Claim(t.Context(), "me", []string{"send_email"}, 10); err != nil || len(rows) != 1 {
		t.Errorf("Claim returned %d rows, %v; want 1", len(rows), err)
	}
	p, err := b.Query(t.Context(), taskflow.Query{Limit: 10, Filter: taskflow.Filter{Name: "send_email", Statuses: []taskflow.Status{taskflow.StatusSuccess}}})
	if err != nil || len(p.Records) != 10 {
		t.Errorf("Query returned %d records, %v; want 10", len(p.Records), err)
	}
	if n, err := b.DeleteBefore(t.Context(), record(10).CreatedAt); err != nil || n != 10 {
		t.Errorf("DeleteBefore returned %d, %v; want 10", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	woken := make(chan struct{}, 10)
	notified := make(chan error, 1)
	go func() { notified <- b.Notify(ctx, func() { woken <- struct{}{} }) }() // awaited below
	<-woken
	if err := b.Post(t.Context(), []byte("hello")); err != nil {
		t.Error(err)
	}
	<-woken
	cancel()
	if err := <-notified; !errors.Is(err, context.Canceled) {
		t.Errorf("Notify returned %v", err)
	}
}

// openPatiently opens a backend at a cluster, which needs a moment to find itself complete.
func openPatiently(t *testing.T, url string) *redis.Backend {
	t.Helper()
	b := redis.Open(url, quiet())
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := b.Open(t.Context())
		if err == nil {
			break
		}
		if !errors.Is(err, redis.ErrUnavailable) {
			t.Fatal(err)
		}
		<-again.C
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}
