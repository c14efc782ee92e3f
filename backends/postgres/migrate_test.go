package postgres_test

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/taskflow-go/taskflow/backends/internal/sqltest"
	"github.com/taskflow-go/taskflow/backends/postgres"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// Several programs start at once with a new database: the tables, and the schema, are created once.
func TestOpenedByEightAtOnce(t *testing.T) {
	t.Parallel()
	address := testserver.SharedPostgreSQL(t).NewDatabase(t)
	for _, opts := range [][]postgres.Option{nil, {postgres.Schema("jobs")}, {postgres.Schema("jobs"), postgres.Prefix("p_")}} {
		var (
			wg  sync.WaitGroup
			bad [8]error
		)
		for i := range bad {
			b := postgres.Open(address, opts...)
			t.Cleanup(func() {
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if bad[i] = b.Open(t.Context()); bad[i] == nil {
					_, bad[i] = b.Load(t.Context())
				}
			})
		}
		wg.Wait()
		for _, err := range bad {
			if err != nil {
				t.Errorf("one of eight: %v", err)
			}
		}
	}
}

func TestTablesAreInTheSchemaThatIsNamed(t *testing.T) {
	t.Parallel()
	address := testserver.SharedPostgreSQL(t).NewDatabase(t)
	named, public := opened(t, address, postgres.Schema("jobs")), opened(t, address)
	sqltest.Save(t, named, sqltest.Record(1), sqltest.Record(2))
	sqltest.Save(t, public, sqltest.Record(3))
	if n, m := sqltest.Stored(t, named), sqltest.Stored(t, public); n != 2 || m != 1 {
		t.Errorf("%d and %d records are stored, want 2 and 1", n, m)
	}
	if n := count(t, address, "SELECT count(*) FROM jobs.taskflow_history"); n != 2 {
		t.Errorf("jobs.taskflow_history has %d rows, want 2", n)
	}
	// whatever the search path of a connection is
	elsewhere := opened(t, with(t, address, "search_path", "jobs"), postgres.Schema("public"))
	if n := sqltest.Stored(t, elsewhere); n != 1 {
		t.Errorf("with another search path %d records are found, want 1", n)
	}
}

func TestTablesThatAreRefused(t *testing.T) {
	t.Parallel()
	shared := testserver.SharedPostgreSQL(t)
	for _, c := range []struct {
		name, prepare, says string
		is                  error
	}{
		{"another application's history", "CREATE TABLE taskflow_history (day date, event text)", `"taskflow_history"`, postgres.ErrForeign},
		{"a view in its place", "CREATE VIEW taskflow_pending AS SELECT 1 AS id", `"taskflow_pending"`, postgres.ErrForeign},
		{"another application's meta", "CREATE TABLE taskflow_meta (k text, v text)", `"taskflow_meta"`, postgres.ErrForeign},
		{"a column is missing", "-- opened\nALTER TABLE taskflow_pending DROP COLUMN marks", `"taskflow_pending"`, postgres.ErrForeign},
		{"a table is missing", "-- opened\nDROP TABLE taskflow_slot", `"taskflow_slot"`, postgres.ErrForeign},
		{"newer schema", "-- opened\nUPDATE taskflow_meta SET value = 99 WHERE name = 'schema'", "version 99, this program knows up to 2", postgres.ErrNewerSchema},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := shared.NewDatabase(t)
			if strings.HasPrefix(c.prepare, "-- opened") {
				sqltest.Save(t, opened(t, address), sqltest.Record(1))
			}
			execute(t, address, c.prepare)
			const tables = "SELECT count(*) FROM pg_class WHERE relname LIKE 'taskflow%'"
			before := count(t, address, tables)
			b := postgres.Open(address)
			if err := b.Open(t.Context()); !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Open returned %v; want one that wraps %v and says %q", err, c.is, c.says)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			if after := count(t, address, tables); after != before {
				t.Errorf("there are %d tables and indexes after Open, %d before: it is to leave them as they are", after, before)
			}
		})
	}
}

// A column more is no harm: somebody may have added one for reports.
func TestColumnsMayBeAdded(t *testing.T) {
	t.Parallel()
	address := server(t)
	p := prefix(t, address)
	sqltest.Save(t, opened(t, address, postgres.Prefix(p)), sqltest.Record(1))
	execute(t, address, "ALTER TABLE "+p+"history ADD COLUMN note text; ALTER TABLE "+p+"history ADD COLUMN day date GENERATED ALWAYS AS ('2026-01-01') STORED")
	b := opened(t, address, postgres.Prefix(p))
	sqltest.Save(t, b, sqltest.Record(1), sqltest.Record(2))
	if n := sqltest.Stored(t, b); n != 2 {
		t.Errorf("%d records are stored, want 2", n)
	}
}

func TestReadmeShowsTheSchema(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"schema/1.sql", "schema/2.sql"} {
		script, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		shown := strings.NewReplacer("{", "taskflow_", "}", "").Replace(string(script))
		if !strings.Contains(string(readme), shown) {
			t.Errorf("README.md does not show %s as it is:\n%s", name, shown)
		}
	}
}

// A published step is never changed, so that its script is what an earlier version has left.
func TestTablesOfVersionOneAreMigrated(t *testing.T) {
	t.Parallel()
	address := server(t)
	p := prefix(t, address)
	script, err := os.ReadFile("schema/1.sql")
	if err != nil {
		t.Fatal(err)
	}
	execute(t, address, strings.NewReplacer("{", p, "}", "").Replace(string(script))+
		"INSERT INTO "+p+"meta VALUES ('schema', 1), ('message', 7); INSERT INTO "+p+"secret VALUES ('session', 'old')")
	b := opened(t, address, postgres.Prefix(p))
	sqltest.Migrated(t, b)
	if n := count(t, address, "SELECT value::int FROM "+p+"meta WHERE name = 'schema'"); n != 2 {
		t.Errorf("the tables have version %d, want 2", n)
	}
	if n := count(t, address, "SELECT value::int FROM "+p+"meta WHERE name = 'message'"); n != 7 {
		t.Errorf("the number of the last message is %d, want 7 as before", n)
	}
}
