package mysql_test

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/taskflow-go/taskflow/backends/internal/sqltest"
	"github.com/taskflow-go/taskflow/backends/mysql"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// Several programs start at once with a new database: the tables are created once.
func TestOpenedByEightAtOnce(t *testing.T) {
	t.Parallel()
	dsn := testserver.SharedMariaDB(t).NewDatabase(t)
	for _, opts := range [][]mysql.Option{nil, {mysql.Prefix("p_")}} {
		var (
			wg  sync.WaitGroup
			bad [8]error
		)
		for i := range bad {
			b := mysql.Open(dsn, opts...)
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

func TestTablesThatAreRefused(t *testing.T) {
	t.Parallel()
	shared := testserver.SharedMariaDB(t)
	for _, c := range []struct {
		name, prepare, says string
		is                  error
	}{
		{"another application's history", "CREATE TABLE taskflow_history (day date, event text)", "`taskflow_history`", mysql.ErrForeign},
		{"a view in its place", "CREATE VIEW taskflow_pending AS SELECT 1 AS id", "`taskflow_pending`", mysql.ErrForeign},
		{"another application's meta", "CREATE TABLE taskflow_meta (k TEXT, v TEXT)", "`taskflow_meta`", mysql.ErrForeign},
		{"a column is missing", "-- opened\nALTER TABLE taskflow_pending DROP COLUMN marks", "`taskflow_pending`", mysql.ErrForeign},
		{"a table is missing", "-- opened\nDROP TABLE taskflow_slot", "`taskflow_slot`", mysql.ErrForeign},
		{"newer schema", "-- opened\nUPDATE taskflow_meta SET value = 99 WHERE name = 'schema'", "version 99, this program knows up to 2", mysql.ErrNewerSchema},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dsn := shared.NewDatabase(t)
			if strings.HasPrefix(c.prepare, "-- opened") {
				sqltest.Save(t, opened(t, dsn), sqltest.Record(1))
			}
			execute(t, dsn, strings.TrimPrefix(c.prepare, "-- opened\n"))
			const tables = "SELECT count(*) FROM information_schema.columns WHERE table_schema = database()"
			before := ask[int](t, dsn, tables)
			b := mysql.Open(dsn)
			if err := b.Open(t.Context()); !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Open returned %v; want one that wraps %v and says %q", err, c.is, c.says)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			if after := ask[int](t, dsn, tables); after != before {
				t.Errorf("there are %d columns after Open, %d before: it is to leave them as they are", after, before)
			}
		})
	}
}

// A column more is no harm: somebody may have added one for reports.
func TestColumnsMayBeAdded(t *testing.T) {
	t.Parallel()
	dsn := server(t)
	p := prefix(t, dsn)
	sqltest.Save(t, opened(t, dsn, mysql.Prefix(p)), sqltest.Record(1))
	execute(t, dsn, "ALTER TABLE "+p+"history ADD COLUMN note TEXT, ADD COLUMN day DATE AS ('2026-01-01') STORED")
	b := opened(t, dsn, mysql.Prefix(p))
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
		shown := strings.NewReplacer("{options}", options, "{", "taskflow_", "}", "").Replace(string(script))
		if !strings.Contains(string(readme), shown) {
			t.Errorf("README.md does not show %s as it is:\n%s", name, shown)
		}
	}
}

const options = "ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_nopad_bin"

// A published step is never changed, so that its script is what an earlier version has left.
func TestTablesOfVersionOneAreMigrated(t *testing.T) {
	t.Parallel()
	dsn := server(t)
	p := prefix(t, dsn)
	script, err := os.ReadFile("schema/1.sql")
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(strings.NewReplacer("{options}", options, "{", p, "}", "").Replace(string(script)), ";\n") {
		if strings.TrimSpace(statement) != "" {
			execute(t, dsn, statement)
		}
	}
	execute(t, dsn, "INSERT INTO "+p+"meta VALUES ('schema', 1), ('message', 7)", "INSERT INTO "+p+"secret VALUES ('session', 'old')")
	sqltest.Migrated(t, opened(t, dsn, mysql.Prefix(p)))
	if n := ask[int](t, dsn, "SELECT value FROM "+p+"meta WHERE name = 'schema'"); n != 2 {
		t.Errorf("the tables have version %d, want 2", n)
	}
	if n := ask[int](t, dsn, "SELECT value FROM "+p+"meta WHERE name = 'message'"); n != 7 {
		t.Errorf("the number of the last message is %d, want 7 as before", n)
	}
}
