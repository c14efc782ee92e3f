package peers

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// plainBatch is how many tasks the plain loop writes in one commit.
const plainBatch = 100

// startPlain returns a round of a loop without any library: prepared statements that write, into taskflow's own tables and with its
// driver, what the life of a durable task leaves there. A batch is inserted into the pending ones in one commit, and moved to the
// history in the next. Nothing runs, nobody waits, nothing is encoded: it is what the file can do at best.
func startPlain(b *testing.B, sync string) func(b *testing.B, n int) time.Duration {
	b.Helper()
	path := filepath.Join(b.TempDir(), "tasks.db")
	backend := sqlite.Open(path) // makes the tables
	if err := backend.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := backend.Close(); err != nil {
		b.Fatal(err)
	}
	db := openSQLiteFile(b, "sqlite", path, sync, 1)
	p := plain{ctx: context.Background()}
	var err error
	if p.conn, err = db.Conn(p.ctx); err != nil {
		b.Fatal(err)
	}
	prepare := func(query string) *sql.Stmt {
		s, err := p.conn.PrepareContext(p.ctx, query)
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	p.add = prepare("INSERT INTO pending (id, owner, name, status, source, format, record, args) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
	p.finish = prepare(`INSERT INTO history (id, name_id, status, source, pool, priority, flags, created_at, start_time, end_time,
		attempts, max_retries, log_count, owner) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	p.remove = prepare("DELETE FROM pending WHERE id = ?")
	b.Cleanup(func() {
		for _, s := range []*sql.Stmt{p.add, p.finish, p.remove} {
			if err := s.Close(); err != nil {
				b.Error(err)
			}
		}
		if err := p.conn.Close(); err != nil {
			b.Error(err)
		}
	})
	now := time.Now()
	p.record, err = json.Marshal(taskflow.Record{
		Name: "trivial", Status: taskflow.StatusPending, Source: taskflow.SourceManual, Pool: taskflow.DefaultPool, CreatedAt: now,
		Durable: true, Owner: "0123456789abcdef",
	})
	if err != nil {
		b.Fatal(err)
	}
	return func(b *testing.B, n int) time.Duration {
		b.Helper()
		began := time.Now()
		for done := 0; done < n; done += plainBatch {
			if err := p.batch(min(plainBatch, n-done)); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(began)
	}
}

type plain struct {
	ctx                 context.Context
	conn                *sql.Conn
	add, finish, remove *sql.Stmt
	record              []byte
	last                uint64 // id
}

func (p *plain) batch(n int) error {
	id := func(i int) []byte {
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, p.last+uint64(i)), 0x9e3779b97f4a7c15)
	}
	err := p.commit(n, func(i int) error {
		_, err := p.add.ExecContext(p.ctx, id(i), "0123456789abcdef", "trivial", "pending", "manual", 1, string(p.record), []byte("7"))
		return err
	})
	if err != nil {
		return err
	}
	now := time.Now().UnixNano()
	err = p.commit(n, func(i int) error {
		_, err := p.finish.ExecContext(p.ctx, id(i), 1, "success", "manual", "default", 0, 4, now, now, now, 1, 0, 0, "0123456789abcdef")
		if err != nil {
			return err
		}
		_, err = p.remove.ExecContext(p.ctx, id(i))
		return err
	})
	p.last += uint64(n)
	return err
}

func (p *plain) commit(n int, write func(i int) error) error {
	if _, err := p.conn.ExecContext(p.ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for i := range n {
		if err := write(i); err != nil {
			return err
		}
	}
	_, err := p.conn.ExecContext(p.ctx, "COMMIT")
	return err
}
