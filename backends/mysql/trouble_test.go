package mysql_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"github.com/taskflow-go/taskflow/backends/internal/sqltest"
	"github.com/taskflow-go/taskflow/backends/mysql"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// While the server is away calls fail at once, and say so; nothing that was accepted is lost, and everything works again by itself.
func TestServerIsKilledInTheMiddleOfUse(t *testing.T) {
	t.Parallel()
	s := testserver.MariaDB(t)
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
			if !errors.Is(err, mysql.ErrUnreachable) || !strings.Contains(err.Error(), s.Addr) {
				t.Errorf("Save without a server returned %v; want ErrUnreachable that names it", err)
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("Save without a server failed after %v, want at once", d)
			}
			if _, err := b.Query(t.Context(), taskflow.Query{Limit: 1}); !errors.Is(err, mysql.ErrUnreachable) {
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

// Eight goroutines store and replace records of the same statuses and durations by two handles: the totals, which all of them change, are right.
func TestConcurrentSavesDoNotDeadlock(t *testing.T) {
	t.Parallel()
	dsn := server(t)
	p := prefix(t, dsn)
	handles := []*mysql.Backend{opened(t, dsn, mysql.Prefix(p)), opened(t, dsn, mysql.Prefix(p))}
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

// bytesOf is an id as SQL.
func bytesOf(id string) string { return "x'" + strings.ReplaceAll(id, "-", "") + "'" }

func TestDamagedRowsAreSkippedAndNamed(t *testing.T) {
	t.Parallel()
	dsn := server(t)
	p := prefix(t, dsn)
	var log sqltest.Log
	b := opened(t, dsn, mysql.Prefix(p), mysql.Logger(log.Logger()))
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
	execute(t, dsn, "UPDATE "+p+"history SET tags = '{' WHERE id = "+bytesOf(tagged[0].ID), "UPDATE "+p+"detail SET logs = '[\"' WHERE id = "+bytesOf(tagged[1].ID),
		"UPDATE "+p+"pending SET tags = '[1' WHERE id = "+bytesOf(rows[0].ID))
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
		if _, err := get(); !errors.Is(err, mysql.ErrCorrupt) {
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
	dsn := server(t)
	p := prefix(t, dsn)
	b := opened(t, dsn, mysql.Prefix(p))
	newer, known := sqltest.PendingRecord(1, ""), sqltest.PendingRecord(2, "")
	if err := b.PutPending(t.Context(), []taskflow.Record{newer, known}); err != nil {
		t.Fatal(err)
	}
	execute(t, dsn, fmt.Sprintf("UPDATE %spending SET format = %d WHERE id = %s", p, taskflow.RecordFormat+1, bytesOf(newer.ID)))
	claimed, err := b.Claim(t.Context(), "heir", []string{newer.Name, known.Name}, 10)
	if err != nil || len(claimed) != 1 || claimed[0].ID != known.ID {
		t.Errorf("Claim returned %v, %v; want the row of a known format", claimed, err)
	}
}

// account creates a user that may do no more than what is granted, and returns the data source name for it.
func account(t *testing.T, dsn string, grants ...string) string {
	t.Helper()
	user := strings.TrimSuffix(prefix(t, dsn), "_")
	execute(t, dsn, "CREATE USER "+user+" IDENTIFIED BY 'x'")
	for _, g := range grants {
		execute(t, dsn, "GRANT "+g+" TO "+user)
	}
	t.Cleanup(func() { execute(t, dsn, "DROP USER "+user) })
	return change(t, dsn, func(c *driver.Config) { c.User, c.Passwd = user, "x" })
}

func TestServerThatOnlyReads(t *testing.T) {
	t.Parallel()
	s := testserver.MariaDB(t)
	as := account(t, s.URL, "SELECT, INSERT, UPDATE, DELETE, CREATE ON *.*")
	writer := opened(t, as)
	sqltest.Save(t, writer, sqltest.Record(1))
	execute(t, s.URL, "SET GLOBAL read_only = 1")
	if _, err := writer.Save(t.Context(), sqltest.Records(2, 3)); !errors.Is(err, mysql.ErrReadOnly) {
		t.Errorf("Save on a server that only reads returned %v, want ErrReadOnly", err)
	}
	if n := sqltest.Stored(t, writer); n != 1 {
		t.Errorf("%d records are read, want 1", n)
	}
	reader := mysql.Open(as)
	if err := reader.Open(t.Context()); !errors.Is(err, mysql.ErrReadOnly) {
		t.Errorf("Open of a server that only reads returned %v, want ErrReadOnly", err)
	}
	execute(t, s.URL, "SET GLOBAL read_only = 0")
	sqltest.Save(t, writer, sqltest.Record(2))
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
}

func TestMissingPrivileges(t *testing.T) {
	t.Parallel()
	dsn := testserver.SharedMariaDB(t).NewDatabase(t)
	name := ask[string](t, dsn, "SELECT database()")
	none, reads := account(t, dsn), account(t, dsn, "SELECT ON `"+name+"`.*")
	// what README.md says of a user that does not create the tables
	works := account(t, dsn, "SELECT, INSERT, UPDATE, DELETE ON `"+name+"`.*")
	for what, as := range map[string]string{"use the database": none, "create tables": reads} {
		b := mysql.Open(as)
		if err := b.Open(t.Context()); !errors.Is(err, mysql.ErrPrivilege) {
			t.Errorf("Open by a user that may not %s returned %v, want ErrPrivilege", what, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	sqltest.Save(t, opened(t, dsn), sqltest.Record(1))
	b := opened(t, works)
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
	dsn := testserver.SharedMariaDB(t).NewDatabase(t)
	as := account(t, dsn, "ALL ON *.*")
	c, err := driver.ParseDSN(as)
	if err != nil {
		t.Fatal(err)
	}
	execute(t, dsn, "ALTER USER "+c.User+" WITH MAX_USER_CONNECTIONS 1")
	first, second := mysql.Open(as), mysql.Open(as)
	if err := first.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := second.Open(t.Context()); !errors.Is(err, mysql.ErrBusy) {
		t.Errorf("Open where there are no connections left returned %v, want ErrBusy", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	sqltest.Eventually(t, func() error { return second.Open(t.Context()) }) // the server notices a moment later
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

// A batch is cut into statements that the server accepts; only a single record that is larger than that cannot be stored.
func TestStatementsFitIntoThePackets(t *testing.T) {
	t.Parallel()
	s := testserver.MariaDB(t, testserver.WithArgs("--max-allowed-packet=256K"))
	b := opened(t, s.URL)
	list := sqltest.Records(0, 60)
	for i := range list {
		list[i].Args = []byte(`"` + strings.Repeat(`'`, 30<<10) + `"`) // twice as long in a statement
	}
	sqltest.Save(t, b, list...)
	rows := make([]taskflow.Record, len(list))
	for i := range rows {
		rows[i] = sqltest.PendingRecord(100+i, "me")
		rows[i].Args = list[i].Args
	}
	if err := b.PutPending(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	if n := sqltest.Stored(t, b); n != len(list) {
		t.Errorf("%d records are stored, want %d", n, len(list))
	}
	large := sqltest.Record(70)
	large.Args = []byte(`"` + strings.Repeat("x", 512<<10) + `"`)
	if _, err := b.Save(t.Context(), []taskflow.Record{sqltest.Record(71), large}); !errors.Is(err, mysql.ErrInvalidRecord) {
		t.Errorf("Save of a record that is larger than max_allowed_packet returned %v, want ErrInvalidRecord", err)
	}
	if n := sqltest.Stored(t, b); n != len(list) {
		t.Errorf("%d records are stored after a call that failed, want %d", n, len(list))
	}
}

func TestRecordsThatCannotBeStoredAreNamed(t *testing.T) {
	t.Parallel()
	dsn := server(t)
	b := opened(t, dsn, mysql.Prefix(prefix(t, dsn)))
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
		if !errors.Is(err, mysql.ErrInvalidRecord) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), bad.ID) {
			t.Errorf("Save returned %v; want ErrInvalidRecord that names %s and says %s", err, bad.ID, says)
		}
		unfinished := sqltest.PendingRecord(1, "")
		spoil(&unfinished)
		if err := b.PutPending(t.Context(), []taskflow.Record{sqltest.PendingRecord(0, ""), unfinished}); !errors.Is(err, mysql.ErrInvalidRecord) {
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
