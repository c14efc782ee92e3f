package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/internal/sqltest"
	"github.com/taskflow-go/taskflow/backends/postgres"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// While the server is away calls fail at once, and say so; nothing that was accepted is lost, and everything works again by itself.
func TestServerIsKilledInTheMiddleOfUse(t *testing.T) {
	t.Parallel()
	s := testserver.PostgreSQL(t)
	b := opened(t, s.URL)
	sqltest.Save(t, b, sqltest.Records(0, 10)...)
	if err := b.PutPending(t.Context(), []taskflow.Record{sqltest.PendingRecord(50, "me")}); err != nil {
		t.Fatal(err)
	}
	for round, away := range []func(){s.Kill, s.Stop} {
		away()
		for range 3 { // more often than there are connections that are found to be dead
			start := time.Now()
			_, err := b.Save(t.Context(), sqltest.Records(100, 101))
			if !errors.Is(err, postgres.ErrUnreachable) || !strings.Contains(err.Error(), s.Addr) {
				t.Errorf("Save without a server returned %v; want ErrUnreachable that names it", err)
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("Save without a server failed after %v, want at once", d)
			}
			if _, err := b.Query(t.Context(), taskflow.Query{Limit: 1}); !errors.Is(err, postgres.ErrUnreachable) {
				t.Errorf("Query without a server returned %v, want ErrUnreachable", err)
			}
		}
		s.Start()
		sqltest.Eventually(t, func() error { _, err := b.Save(t.Context(), sqltest.Records(10, 20+round)); return err })
		if n := sqltest.Stored(t, b); n != 20+round {
			t.Errorf("%d records are stored after the server came back, want %d", n, 20+round)
		}
		if rows, err := b.LoadPending(t.Context()); err != nil || len(rows) != 1 || rows[0].Owner != "me" {
			t.Errorf("LoadPending returned %d rows, %v; want the one that was put", len(rows), err)
		}
	}
}

// waker counts what Notify tells.
type waker struct {
	woken chan struct{}
	ended chan error
}

// listening calls Notify until the test ends.
func listening(t *testing.T, b *postgres.Backend) *waker {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	w := &waker{make(chan struct{}, 1000), make(chan error, 1)}
	go func() { w.ended <- b.Notify(ctx, func() { w.woken <- struct{}{} }) }() // awaited by the clean-up
	t.Cleanup(func() {
		cancel()
		if err := <-w.ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Notify returned %v, want context.Canceled", err)
		}
	})
	w.wait(t, "it has begun to listen")
	return w
}

func (w *waker) wait(t *testing.T, what string) {
	t.Helper()
	select {
	case <-w.woken:
	case err := <-w.ended:
		w.ended <- err
		t.Fatalf("Notify ended before %s: %v", what, err)
	case <-time.After(30 * time.Second):
		t.Fatalf("Notify does not wake after %s", what)
	}
}

func TestNotifyWakesAfterAnotherHandlesMessage(t *testing.T) {
	t.Parallel()
	address := server(t)
	p := prefix(t, address)
	here, there := opened(t, address, postgres.Prefix(p)), opened(t, address, postgres.Prefix(p))
	w := listening(t, here)
	for range 20 {
		if err := there.Post(t.Context(), []byte("cancel")); err != nil {
			t.Fatal(err)
		}
		w.wait(t, "a message")
	}
	// what concerns other tables, or frees nothing, wakes nobody
	other := opened(t, address, postgres.Prefix(prefix(t, address)))
	if err := other.Post(t.Context(), []byte("cancel")); err != nil {
		t.Fatal(err)
	}
	if err := there.PutPending(t.Context(), []taskflow.Record{sqltest.PendingRecord(1, "me")}); err != nil {
		t.Fatal(err)
	}
	if err := there.Post(t.Context(), []byte("last")); err != nil {
		t.Fatal(err)
	}
	w.wait(t, "a message")
	if len(w.woken) != 0 {
		t.Errorf("Notify woke %d times more than there were reasons", len(w.woken))
	}
}

func TestNotifyGoesOnAfterTheServerWasRestarted(t *testing.T) {
	t.Parallel()
	s := testserver.PostgreSQL(t)
	here, there := opened(t, s.URL), opened(t, s.URL)
	w := listening(t, here)
	s.Kill()
	s.Start()
	w.wait(t, "the connection was made again: something may have happened meanwhile")
	sqltest.Eventually(t, func() error { return there.Post(t.Context(), []byte("cancel")) })
	w.wait(t, "a message after the restart")
}

func TestNotifyEndsWhenTheServerStaysAway(t *testing.T) {
	t.Parallel()
	s := testserver.PostgreSQL(t)
	b := opened(t, s.URL, postgres.Reconnects(3))
	ended := make(chan error, 1)
	woken := make(chan struct{}, 1)
	go func() { ended <- b.Notify(t.Context(), func() { woken <- struct{}{} }) }() // awaited below
	<-woken
	s.Kill()
	if err := <-ended; !errors.Is(err, postgres.ErrUnreachable) {
		t.Errorf("Notify without a server returned %v, want ErrUnreachable", err)
	}
}

// Eight goroutines store and replace records of the same statuses and durations by two handles: the totals, which all of them change, are right.
func TestConcurrentSavesDoNotDeadlock(t *testing.T) {
	t.Parallel()
	address := server(t)
	p := prefix(t, address)
	handles := []*postgres.Backend{opened(t, address, postgres.Prefix(p)), opened(t, address, postgres.Prefix(p))}
	const writers, rounds, size = 8, 6, 100
	var (
		wg  sync.WaitGroup
		bad [writers]error
	)
	for w := range writers {
		wg.Go(func() {
			for round := range rounds {
				list := sqltest.Records(round*size, (round+1)*size) // the same for all
				for i := range list {
					at := (i*7 + w*31) % size // in another order each
					list[i], list[at] = list[at], list[i]
				}
				for i := range list {
					list[i].Status = []taskflow.Status{taskflow.StatusSuccess, taskflow.StatusFailed}[(i+w)%2]
				}
				_, err := handles[w%2].Save(t.Context(), list)
				bad[w] = errors.Join(bad[w], err)
			}
		})
	}
	wg.Wait()
	for _, err := range bad {
		if err != nil {
			t.Error(err)
		}
	}
	all, err := handles[0].Load(t.Context())
	if err != nil || len(all) != rounds*size {
		t.Fatalf("Load returned %d records, %v; want %d", len(all), err, rounds*size)
	}
	var want taskflow.Stats
	for i := range all {
		want.Add(&all[i])
	}
	got, err := handles[1].Stats(t.Context())
	if err != nil || fmt.Sprint(got.Counts, got.Durations.Buckets) != fmt.Sprint(want.Counts, want.Durations.Buckets) {
		t.Errorf("Stats returned %v, %v; want %v", got, err, want)
	}
}

func TestDamagedRowsAreSkippedAndNamed(t *testing.T) {
	t.Parallel()
	address := server(t)
	p := prefix(t, address)
	var log sqltest.Log
	b := opened(t, address, postgres.Prefix(p), postgres.Logger(log.Logger()))
	tagged := sqltest.Records(0, 4)
	for i := range tagged {
		tagged[i].Tags, tagged[i].Logs = map[string]string{"k": "v"}, []string{"line"}
	}
	sqltest.Save(t, b, tagged...)
	rows := []taskflow.Record{sqltest.PendingRecord(10, ""), sqltest.PendingRecord(11, ""), sqltest.PendingRecord(12, "")}
	for i := range rows {
		rows[i].Tags = map[string]string{"k": "v"}
	}
	if err := b.PutPending(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	execute(t, address, `UPDATE `+p+`history SET tags = '{' WHERE id = '`+tagged[0].ID+`';
		UPDATE `+p+`detail SET logs = '["' WHERE id = '`+tagged[1].ID+`';
		UPDATE `+p+`pending SET tags = '[1' WHERE id = '`+rows[0].ID+`'`)
	if n := sqltest.Stored(t, b); n != 2 {
		t.Errorf("Load returned %d records, want the 2 sound ones", n)
	}
	page, err := b.Query(t.Context(), taskflow.Query{Limit: 10, Full: true})
	if err != nil || len(page.Records) != 2 || page.Next != "" {
		t.Errorf("Query returned %d records, Next %q, %v; want the 2 sound ones", len(page.Records), page.Next, err)
	}
	if list, err := b.LoadPending(t.Context()); err != nil || len(list) != 2 {
		t.Errorf("LoadPending returned %d records, %v; want the 2 sound ones", len(list), err)
	}
	// it keeps no others from being claimed, not even where it counts as the first
	claimed, err := b.Claim(t.Context(), "heir", []string{rows[0].Name, rows[1].Name, rows[2].Name}, 1)
	if err != nil || len(claimed) != 1 || claimed[0].ID != rows[1].ID {
		t.Errorf("Claim of one returned %v, %v; want the first that can be read", claimed, err)
	}
	for _, id := range []string{tagged[0].ID, tagged[1].ID, rows[0].ID} {
		if !strings.Contains(log.String(), id) {
			t.Errorf("the log does not name the damaged row %s", id)
		}
	}
	for _, get := range []func() (taskflow.Record, error){
		func() (taskflow.Record, error) { return b.Get(t.Context(), tagged[0].ID) },
		func() (taskflow.Record, error) { return b.GetPending(t.Context(), rows[0].ID) },
	} {
		if _, err := get(); !errors.Is(err, postgres.ErrCorrupt) {
			t.Errorf("Get of a damaged row returned %v, want ErrCorrupt", err)
		}
	}
	sqltest.Save(t, b, tagged...) // what is saved again is sound again
	if n := sqltest.Stored(t, b); n != 4 {
		t.Errorf("Load returned %d records after saving again, want 4", n)
	}
	if n, err := b.DeleteBefore(t.Context(), sqltest.Record(100).CreatedAt); err != nil || n != 4 {
		t.Errorf("DeleteBefore returned %d, %v; want 4", n, err)
	}
}

// A row that a newer version wrote is for those that know its format.
func TestRowsOfANewerFormatAreNotClaimed(t *testing.T) {
	t.Parallel()
	address := server(t)
	p := prefix(t, address)
	b := opened(t, address, postgres.Prefix(p))
	newer, known := sqltest.PendingRecord(1, ""), sqltest.PendingRecord(2, "")
	if err := b.PutPending(t.Context(), []taskflow.Record{newer, known}); err != nil {
		t.Fatal(err)
	}
	execute(t, address, fmt.Sprintf("UPDATE %spending SET format = %d WHERE id = '%s'", p, taskflow.RecordFormat+1, newer.ID))
	claimed, err := b.Claim(t.Context(), "heir", []string{newer.Name, known.Name}, 10)
	if err != nil || len(claimed) != 1 || claimed[0].ID != known.ID {
		t.Errorf("Claim returned %v, %v; want the row of a known format", claimed, err)
	}
}

func TestServerThatOnlyReads(t *testing.T) {
	t.Parallel()
	address := testserver.SharedPostgreSQL(t).NewDatabase(t)
	writer := opened(t, address)
	sqltest.Save(t, writer, sqltest.Record(1))
	execute(t, address, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`)
	reader := postgres.Open(address)
	if err := reader.Open(t.Context()); !errors.Is(err, postgres.ErrReadOnly) {
		t.Errorf("Open of a server that only reads returned %v, want ErrReadOnly", err)
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
	b := opened(t, with(t, address, "options", "-c default_transaction_read_only=off"))
	sqltest.Save(t, b, sqltest.Record(2))
}

func TestMissingPrivileges(t *testing.T) {
	t.Parallel()
	address := testserver.SharedPostgreSQL(t).NewDatabase(t)
	role := strings.TrimSuffix(prefix(t, address), "_")
	execute(t, address, "CREATE ROLE "+role+" LOGIN PASSWORD 'x'")
	t.Cleanup(func() { execute(t, address, "DROP OWNED BY "+role+"; DROP ROLE "+role) })
	as := change(t, address, func(u *url.URL) { u.User = url.UserPassword(role, "x") })
	refused := func(what string) {
		b := postgres.Open(as)
		if err := b.Open(t.Context()); !errors.Is(err, postgres.ErrPrivilege) {
			t.Errorf("Open by a user that may not %s returned %v, want ErrPrivilege", what, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	refused("create tables")
	sqltest.Save(t, opened(t, address), sqltest.Record(1))
	refused("read the tables")
	// what README.md says of a user that does not create the tables
	execute(t, address, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "+role)
	b := opened(t, as)
	sqltest.Save(t, b, sqltest.Record(1), sqltest.Record(2))
	if err := b.PutPending(t.Context(), []taskflow.Record{sqltest.PendingRecord(3, "me")}); err != nil {
		t.Error(err)
	}
	if _, err := b.Expire(t.Context()); err != nil {
		t.Error(err)
	}
	if err := b.Post(t.Context(), []byte("hello")); err != nil {
		t.Error(err)
	}
}

func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	s := testserver.PostgreSQL(t, testserver.WithArgs("-c", "max_connections=5", "-c", "superuser_reserved_connections=0"))
	var handles []*postgres.Backend
	for range 6 {
		b := postgres.Open(s.URL, postgres.PoolSize(2), postgres.Logger(slog.New(slog.DiscardHandler)))
		handles = append(handles, b)
		if err := b.Open(t.Context()); err != nil {
			if !errors.Is(err, postgres.ErrBusy) {
				t.Errorf("Open where there are no connections left returned %v, want ErrBusy", err)
			}
			break
		}
	}
	if len(handles) > 6 {
		t.Error("six were opened by a server that takes five")
	}
	for _, b := range handles {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	sqltest.Eventually(t, func() error { // the server notices a moment later that they are gone
		b := postgres.Open(s.URL)
		return errors.Join(b.Open(t.Context()), b.Close())
	})
}

func TestRecordsThatCannotBeStoredAreNamed(t *testing.T) {
	t.Parallel()
	address := server(t)
	b := opened(t, address, postgres.Prefix(prefix(t, address)))
	for says, spoil := range map[string]func(r *taskflow.Record){
		`"no-id" is not a task id`:      func(r *taskflow.Record) { r.ID = "no-id" },
		"its name has 256 bytes":        func(r *taskflow.Record) { r.Name = strings.Repeat("n", 256) },
		"its error is not valid UTF-8":  func(r *taskflow.Record) { r.Error = "a\xffb" },
		"its source is not valid UTF-8": func(r *taskflow.Record) { r.Source = "a\x00b" },
		"its tag \"k\" is not valid":    func(r *taskflow.Record) { r.Tags = map[string]string{"k": "a\x00b"} },
		"has more than 255 bytes":       func(r *taskflow.Record) { r.Tags = map[string]string{"k": strings.Repeat("v", 256)} },
		"its idempotency key has 256":   func(r *taskflow.Record) { r.Key = strings.Repeat("k", 256) },
	} {
		bad := sqltest.Record(1)
		spoil(&bad)
		_, err := b.Save(t.Context(), []taskflow.Record{sqltest.Record(0), bad})
		if !errors.Is(err, postgres.ErrInvalidRecord) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), bad.ID) {
			t.Errorf("Save returned %v; want ErrInvalidRecord that names %s and says %s", err, bad.ID, says)
		}
		unfinished := sqltest.PendingRecord(1, "")
		spoil(&unfinished)
		if err := b.PutPending(t.Context(), []taskflow.Record{sqltest.PendingRecord(0, ""), unfinished}); !errors.Is(err, postgres.ErrInvalidRecord) {
			t.Errorf("PutPending returned %v, want ErrInvalidRecord", err)
		}
	}
	if n := sqltest.Stored(t, b); n != 0 {
		t.Errorf("%d records of refused calls are stored, want none", n)
	}
	if rows, err := b.LoadPending(t.Context()); err != nil || len(rows) != 0 {
		t.Errorf("LoadPending returned %d records of refused calls, %v", len(rows), err)
	}
}

// A plan that reads a whole table was made when that was small; one that has to, because there is no index, is not worth a compilation; a paused
// process would keep its locks.
func TestWritesGoAlongIndexesAndDoNotIdle(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t))
	const names = "^(enable_seqscan|idle_in_transaction_session_timeout|jit)$"
	if got, err := postgres.WriteSettings(t.Context(), b, names); err != nil || !slices.Equal(got, []string{"off", "10000", "off"}) {
		t.Errorf("settings of a transaction: %q, %v", got, err)
	}
}
