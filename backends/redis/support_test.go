package redis_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskflow-go/taskflow/backends/redis"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testserver.Stopping(m)) }

// newPrefix returns a prefix that no other test has.
func newPrefix() string { return "t" + strings.ReplaceAll(taskflow.NewID(time.Now()), "-", "") }

func quiet() redis.Option { return redis.Logger(slog.New(slog.DiscardHandler)) }

// opened returns an open backend that is closed with the test. It says nothing unless it is given a logger.
func opened(tb testing.TB, url string, opts ...redis.Option) *redis.Backend {
	tb.Helper()
	b := redis.Open(url, append([]redis.Option{quiet()}, opts...)...)
	if err := b.Open(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := b.Close(); err != nil {
			tb.Error(err)
		}
	})
	return b
}

// shared returns an open backend at the server that all tests share, with keys of its own.
func shared(t *testing.T, opts ...redis.Option) *redis.Backend {
	t.Helper()
	return opened(t, testserver.SharedRedis(t).URL, append([]redis.Option{redis.Prefix(newPrefix())}, opts...)...)
}

// base is when the records of the tests were added.
var base = time.Date(2026, 3, 29, 0, 59, 59, 0, time.UTC)

// record returns the n-th of some finished records.
func record(n int) taskflow.Record {
	at := base.Add(time.Duration(n) * time.Millisecond)
	lowest, _ := taskflow.IDBounds(at)
	return taskflow.Record{
		ID: fmt.Sprintf("%s%012x", lowest[:24], n), Name: "send_email", Status: taskflow.StatusSuccess, Source: taskflow.SourceManual,
		Pool: taskflow.DefaultPool, CreatedAt: at, StartTime: at.Add(time.Millisecond), EndTime: at.Add(3 * time.Millisecond), Attempts: 1,
	}
}

func records(from, to int) (list []taskflow.Record) {
	for n := from; n < to; n++ {
		list = append(list, record(n))
	}
	return list
}

// pending returns the n-th of some unfinished records.
func pending(n int, owner string) taskflow.Record {
	r := record(n)
	r.Status, r.StartTime, r.EndTime, r.Attempts, r.Owner = taskflow.StatusPending, time.Time{}, time.Time{}, 0, owner
	return r
}

// submitted returns the n-th of some records as Submit makes them.
func submitted(n int) taskflow.Record {
	r := pending(n, "0198c0de-0000-7000-8000-000000000001")
	r.CreatedAt = base.Add(time.Duration(n)*20*time.Microsecond + time.Duration(n*7919%10007))
	r.ID = taskflow.NewID(r.CreatedAt)
	r.Durable, r.MaxRetries, r.Args = true, 3, json.RawMessage(`"somebody@example.org"`)
	return r
}

func save(t *testing.T, b taskflow.Backend, list ...taskflow.Record) {
	t.Helper()
	if n, err := b.Save(t.Context(), list); err != nil || n != len(list) {
		t.Fatalf("Save of %d records returned %d, %v", len(list), n, err)
	}
}

func put(t *testing.T, b taskflow.Journal, list ...taskflow.Record) {
	t.Helper()
	if err := b.PutPending(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

// stored returns the number of records in the history.
func stored(t *testing.T, b taskflow.Backend) int {
	t.Helper()
	all, err := b.Load(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
