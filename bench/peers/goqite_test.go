package peers

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"maragu.dev/goqite"
	"maragu.dev/goqite/jobs"
)

// goqiteSchema is the one that its documents tell to install.
const goqiteSchema = `
create table goqite (
  id text primary key default ('m_' || lower(hex(randomblob(16)))),
  created text not null default (strftime('%Y-%m-%dT%H:%M:%fZ')),
  updated text not null default (strftime('%Y-%m-%dT%H:%M:%fZ')),
  queue text not null,
  body blob not null,
  timeout text not null default (strftime('%Y-%m-%dT%H:%M:%fZ')),
  received integer not null default 0,
  priority integer not null default 0
) strict;

create trigger goqite_updated_timestamp after update on goqite begin
  update goqite set updated = strftime('%Y-%m-%dT%H:%M:%fZ') where id = old.id;
end;

create index goqite_queue_priority_created_idx on goqite (queue, priority desc, created);`

// startGoqite returns a round of goqite's.
func startGoqite(b *testing.B, db *sql.DB, limit int, poll, extend time.Duration) func(b *testing.B, n int) time.Duration {
	b.Helper()
	if _, err := db.ExecContext(b.Context(), goqiteSchema); err != nil {
		b.Fatal(err)
	}
	q := goqite.New(goqite.NewOpts{DB: db, Name: "jobs", Timeout: time.Hour})
	r := jobs.NewRunner(jobs.NewRunnerOpts{Queue: q, Limit: limit, PollInterval: poll, Extend: extend})
	var ran arrivals
	r.Register("trivial", func(context.Context, []byte) error { ran.add(1); return nil })
	return func(b *testing.B, n int) time.Duration {
		b.Helper()
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { r.Start(ctx) })
		defer running.Wait()
		defer cancel()
		ran.expect(n)
		began := time.Now()
		produce(b, producers, n, func() error {
			_, err := jobs.Create(b.Context(), q, "trivial", goqite.Message{Body: []byte("7")})
			return err
		})
		ran.wait(b)
		await(b, empty(b, db, "goqite"))
		return time.Since(began)
	}
}
