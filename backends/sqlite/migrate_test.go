package sqlite_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func versionOne(t *testing.T) string { return golden(t, "version1.sql") }

// golden returns a file as an earlier version wrote it.
func golden(t *testing.T, name string) string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	path := tempFile(t)
	execute(t, raw(t, path), string(script))
	return path
}

func TestFileOfVersionOneIsMigrated(t *testing.T) {
	t.Parallel()
	var log logged
	b := opened(t, versionOne(t), sqlite.Logger(log.logger()))
	second := func(s int) time.Time { return time.Date(2025, 11, 23, 0, 0, s, 0, time.UTC) }
	want := []taskflow.Record{
		{
			ID: "019ab1c2-0000-7000-8000-000000000001", Name: "send_email", Status: taskflow.StatusSuccess, Source: "manual", Pool: "default",
			CreatedAt: second(0), StartTime: second(0).Add(time.Millisecond), EndTime: second(0).Add(3 * time.Millisecond), Attempts: 1, MaxRetries: 3,
			Args: []byte(`"ann@example.org"`),
		},
		{
			ID: "019ab1c2-0000-7000-8000-000000000002", Name: "resize", Status: taskflow.StatusFailed, Source: "retry", Pool: "cpu", Priority: 5,
			Requeue: true, Durable: true, CreatedAt: second(1), RunAt: second(2), StartTime: second(2), EndTime: second(4), Attempts: 4, MaxRetries: 3,
			RetryOf: "019ab1c2-0000-7000-8000-000000000000", Error: "exit status 8: disk on fire", LogCount: 2, Owner: "instance1",
			Tags: map[string]string{"tenant": "acme", "urgent": ""}, Stack: "goroutine 7", Logs: []string{"one", "two"}, Args: []byte(`{"a":1}`),
		},
	}
	got, err := b.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Load returned\n%+v, want\n%+v", got, want)
	}
	for name, f := range map[string]taskflow.Filter{
		"tag": {Tags: map[string]string{"tenant": "acme"}}, "tag's key": {Tags: map[string]string{"urgent": ""}}, "error": {Text: "ON FIRE"},
		"tag's value": {Text: "acm"}, "name": {Name: "resize"}, "status": {Statuses: []taskflow.Status{taskflow.StatusFailed}},
	} {
		p, err := b.Query(t.Context(), taskflow.Query{Filter: f, Limit: 10, Full: true})
		if err != nil || len(p.Records) != 1 || !reflect.DeepEqual(p.Records[0], want[1]) {
			t.Errorf("Query by %s returned %+v, %v; want the failed record", name, p.Records, err)
		}
	}
	s, err := b.Stats(t.Context())
	if err != nil || s.Total() != 3 || s.Counts[taskflow.StatusCancelled] != 1 || s.Durations.Count != 2 || s.Durations.Sum != 2*time.Second+2*time.Millisecond {
		t.Errorf("Stats returned %+v, %v; want one of each status, and two durations", s, err)
	}
	waiting, err := b.LoadPending(t.Context())
	if err != nil || len(waiting) != 1 || string(waiting[0].Args) != `"bob"` || waiting[0].Owner != "" {
		t.Errorf("LoadPending returned %+v, %v; want one, its dead owner gone", waiting, err)
	}
	audit, err := b.Audit(t.Context(), "", 10)
	if err != nil || len(audit) != 1 || audit[0].Actor != "ann" || audit[0].Detail["n"] != 1.0 {
		t.Errorf("Audit returned %+v, %v", audit, err)
	}
	secret, err := b.LoadOrStoreSecret(t.Context(), "session", []byte("new"))
	if err != nil || string(secret) != "\x00\xff\x10" {
		t.Errorf("LoadOrStoreSecret returned %q, %v; want the stored one", secret, err)
	}
	for _, id := range []string{"019ab1c2-0000-7000-8000-000000000003", "019ab1c2-0000-7000-8000-000000000005"} {
		if !strings.Contains(log.String(), id) {
			t.Errorf("the log does not name the damaged row %s: %s", id, log.String())
		}
	}
}

func TestFileOfVersionTwoIsMigrated(t *testing.T) {
	t.Parallel()
	var log logged
	b := opened(t, golden(t, "version2.sql"), sqlite.Logger(log.logger()))
	second := func(s int) time.Time { return time.Date(2025, 11, 23, 0, 0, s, 0, time.UTC) }
	done := []taskflow.Record{
		{
			ID: "019ab1c2-0000-7000-8000-000000000001", Name: "send_email", Status: taskflow.StatusSuccess, Source: "manual", Pool: "default",
			CreatedAt: second(0), StartTime: second(0).Add(time.Millisecond), EndTime: second(0).Add(3 * time.Millisecond), Attempts: 1, MaxRetries: 3,
			Args: []byte(`"ann@example.org"`),
		},
		{
			ID: "019ab1c2-0000-7000-8000-000000000002", Name: "resize", Status: taskflow.StatusFailed, Source: "retry", Pool: "cpu", Priority: 5,
			Requeue: true, Durable: true, CreatedAt: second(1), RunAt: second(2), StartTime: second(2), EndTime: second(4), Attempts: 4, MaxRetries: 3,
			RetryOf: "019ab1c2-0000-7000-8000-000000000000", RetriedBy: "019ab1c2-0000-7000-8000-00000000000f", Error: "exit status 8: disk on fire",
			LogCount: 2, Owner: "instance1", Tags: map[string]string{"tenant": "acme", "urgent": ""}, Stack: "goroutine 7", Logs: []string{"one", "two"},
			Args: []byte(`{"a":1}`),
		},
	}
	if got, err := b.Load(t.Context()); err != nil || !reflect.DeepEqual(got, done) {
		t.Errorf("Load returned\n%+v, %v, want\n%+v", got, err, done)
	}
	waits := []taskflow.Record{ // the owner of the first is dead
		{
			ID: "019ab1c2-0000-7000-8000-000000000004", Name: "send_email", Status: taskflow.StatusRunning, Source: "manual", Pool: "default", CreatedAt: second(4),
			StartTime: second(5), Attempts: 1, Args: []byte(`"bob"`), Requeue: true, Durable: true, Logs: []string{"line"}, LogCount: 1,
		},
		{
			ID: "019ab1c2-0000-7000-8000-000000000005", Name: "resize", Status: taskflow.StatusPending, Source: "scheduled", Pool: "cpu", CreatedAt: second(5),
			Args: []byte(`{"b":[1,2]}`), Requeue: true, Durable: true,
		},
	}
	if got, err := b.LoadPending(t.Context()); err != nil || !reflect.DeepEqual(got, waits) {
		t.Errorf("LoadPending returned\n%+v, %v, want\n%+v", got, err, waits)
	}
	for name, f := range map[string]taskflow.Filter{
		"name": {Name: "send_email"}, "status": {Statuses: []taskflow.Status{taskflow.StatusRunning}}, "source": {Source: "manual"},
	} {
		p, err := b.QueryPending(t.Context(), taskflow.Query{Filter: f, Limit: 10, Full: true})
		if err != nil || len(p.Records) != 1 || !reflect.DeepEqual(p.Records[0], waits[0]) {
			t.Errorf("QueryPending by %s returned %+v, %v; want the running task", name, p.Records, err)
		}
	}
	got, err := b.Claim(t.Context(), "heir", []string{"send_email", "resize", ""}, 10)
	for i := range waits {
		waits[i].Owner = "heir"
	}
	if err != nil || !reflect.DeepEqual(got, waits) {
		t.Errorf("Claim returned\n%+v, %v, want\n%+v", got, err, waits)
	}
	for _, id := range []string{"019ab1c2-0000-7000-8000-000000000007", "019ab1c2-0000-7000-8000-000000000008"} {
		if !strings.Contains(log.String(), id) {
			t.Errorf("the log does not name the row %s, which is damaged or of a newer format", id)
		}
	}
	// what is indexed of the history can be replaced and deleted
	done[1].RetriedBy, done[1].Key, done[1].Crashes = "019ab1c2-0000-7000-8000-0000000000ff", "order 1", 2
	save(t, b, done[1])
	if got, err := b.Load(t.Context()); err != nil || !reflect.DeepEqual(got, done) {
		t.Errorf("after Save Load returned\n%+v, %v, want\n%+v", got, err, done)
	}
	if n, err := b.DeleteBefore(t.Context(), second(0).AddDate(1, 0, 0)); err != nil || n != 2 {
		t.Errorf("DeleteBefore returned %d, %v; want both records", n, err)
	}
}

func TestFileOfVersionThreeIsMigrated(t *testing.T) {
	t.Parallel()
	b := opened(t, golden(t, "version3.sql"))
	second := func(s int) time.Time { return time.Date(2025, 11, 23, 0, 0, s, 0, time.UTC) }
	done := []taskflow.Record{{
		ID: "019ab1c2-0000-7000-8000-000000000002", Name: "resize", Status: taskflow.StatusFailed, Source: "retry", Pool: "cpu", Priority: 5,
		Requeue: true, Durable: true, CreatedAt: second(1), RunAt: second(2), StartTime: second(2), EndTime: second(4), Attempts: 4, MaxRetries: 3,
		Error: "disk on fire", Owner: "instance1", Tags: map[string]string{"tenant": "acme"}, Key: "order 1", Crashes: 2,
	}}
	if got, err := b.Load(t.Context()); err != nil || !reflect.DeepEqual(got, done) {
		t.Errorf("Load returned\n%+v, %v, want\n%+v", got, err, done)
	}
	rows, err := b.Claim(t.Context(), "heir", []string{"resize"}, 10) // the owner is dead
	if err != nil || len(rows) != 1 || string(rows[0].Args) != `"bob"` || rows[0].Status != taskflow.StatusRunning {
		t.Errorf("Claim returned %+v, %v; want the running task", rows, err)
	}
	if secret, err := b.LoadOrStoreSecret(t.Context(), "session", []byte("new")); err != nil || string(secret) != "\x00\xff\x10" {
		t.Errorf("LoadOrStoreSecret returned %q, %v; want the stored one", secret, err)
	}
	if taken, err := b.TakeSlot(t.Context(), "nightly", second(0)); taken || err != nil {
		t.Errorf("TakeSlot returned %v, %v; want false: it was taken before", taken, err)
	}
	if bodies, _, err := b.Receive(t.Context(), "6", 10); err != nil || len(bodies) != 1 || string(bodies[0]) != "hi" {
		t.Errorf("Receive returned %q, %v; want the message from before", bodies, err)
	}
	if err := b.PutState(t.Context(), "paused", []byte("by ann")); err != nil {
		t.Error(err)
	}
	if err := b.PutSeries(t.Context(), []taskflow.SeriesPoint{{Resolution: time.Minute, Start: second(0), Instance: "me"}}); err != nil {
		t.Error(err)
	}
}

// A migration that fails halfway leaves the file as it was, and succeeds once the cause is gone.
func TestMigrationIsAllOrNothing(t *testing.T) {
	t.Parallel()
	path := versionOne(t)
	db := raw(t, path)
	execute(t, db, "CREATE TABLE total (in_the_way)")
	b := sqlite.Open(path, sqlite.Logger(slog.New(slog.DiscardHandler)))
	if err := b.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "from version 1") {
		t.Fatalf("Open returned %v; want an error that names the version", err)
	}
	var version, rows int
	if err := db.QueryRowContext(t.Context(), "SELECT user_version, (SELECT count(name) FROM history) FROM pragma_user_version").Scan(&version, &rows); err != nil {
		t.Fatal(err)
	}
	if version != 1 || rows != 3 {
		t.Errorf("after a failed migration the file has version %d and %d records, want 1 and 3", version, rows)
	}
	execute(t, db, "DROP TABLE total")
	if err := b.Open(t.Context()); err != nil {
		t.Fatalf("Open once the cause is gone: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

// Two processes that find an old file at the same time migrate it once.
func TestMigrationRunsOnce(t *testing.T) {
	t.Parallel()
	path := versionOne(t)
	var (
		wg   sync.WaitGroup
		errs [4]error
	)
	for i := range errs {
		b := sqlite.Open(path, sqlite.Logger(slog.New(slog.DiscardHandler)))
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if errs[i] = b.Open(t.Context()); errs[i] == nil {
				_, errs[i] = b.Load(t.Context())
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Errorf("one of four: %v", err)
		}
	}
}
