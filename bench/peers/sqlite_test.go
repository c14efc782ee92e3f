package peers

import (
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver that the peers' documents show; it needs cgo
	_ "modernc.org/sqlite"          // the one that taskflow uses

	"github.com/taskflow-go/taskflow/backends/sqlite"
)

// settings are those of taskflow's own connections, in the words of the two drivers. Transactions take the write lock when they
// begin: neither peer can live with what else happens when two writers meet.
func settings(driver, sync string) url.Values {
	if driver == "sqlite3" {
		return url.Values{
			"_txlock": {"immediate"}, "_busy_timeout": {"5000"}, "_journal_mode": {"WAL"}, "_synchronous": {sync}, "_cache_size": {"-16000"},
		}
	}
	return url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(" + sync + ")", "cache_size(-16000)"},
	}
}

// openSQLite opens a new file for database/sql. driver is "sqlite3" (mattn) or "sqlite" (modernc).
func openSQLite(b *testing.B, driver, sync string, conns int) *sql.DB {
	b.Helper()
	return openSQLiteFile(b, driver, filepath.Join(b.TempDir(), "tasks.db"), sync, conns)
}

func openSQLiteFile(b *testing.B, driver, path, sync string, conns int) *sql.DB {
	b.Helper()
	db, err := sql.Open(driver, "file:"+path+"?"+settings(driver, sync).Encode())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	var mode string
	var level int
	if err := db.QueryRowContext(b.Context(), "SELECT journal_mode, synchronous FROM pragma_journal_mode, pragma_synchronous").Scan(&mode, &level); err != nil {
		b.Fatal(err)
	}
	if want := map[string]int{"NORMAL": 1, "FULL": 2}[sync]; mode != "wal" || level != want {
		b.Fatalf("the file has journal_mode %s and synchronous %d, want wal and %d", mode, level, want)
	}
	return db
}

// empty asks whether a table has no rows.
func empty(b *testing.B, db *sql.DB, table string) func() (bool, error) {
	return func() (none bool, err error) {
		err = db.QueryRowContext(b.Context(), "SELECT NOT EXISTS (SELECT 1 FROM "+table+")").Scan(&none)
		return none, err
	}
}

// peerDriver is the driver of the peers: mattn's, which their documents show and which is the faster one, or taskflow's own where a
// C compiler is missing, or where TASKFLOW_BENCH_DRIVER asks for it ("sqlite"; "sqlite3" is mattn's).
func peerDriver(b *testing.B) string {
	b.Helper()
	if name := os.Getenv("TASKFLOW_BENCH_DRIVER"); name != "" {
		return name
	}
	if cgo {
		return "sqlite3"
	}
	return "sqlite"
}

// BenchmarkSQLite is a trivial durable task from its adding to the commit that says it is done, added by eight producers that wait
// until it is stored. All have the same journal mode, synchronous setting and cache. Each peer is there with the settings that its
// documents show, and with those that were found to be the fastest:
//
//   - backlite: 100 workers (of 10 to 1000 the best) in place of 10. It does not poll, but sleeps 100 ms when all workers are busy.
//     It keeps what is done, as taskflow does; backlite-unkept keeps nothing, which is its default.
//   - goqite, with its runner: up to 64 jobs at once in place of one, polling each millisecond in place of ten. A job's message is
//     extended after 16 ms, not 4 s: until then a goroutine of each job sleeps. It keeps nothing of what is done.
//   - plain: see startPlain. taskflow-many is what compares with it: its eight producers add as many tasks at a time as plain does.
//
// The peers have one connection: goqite's documents say so, and for backlite too it is the fastest.
func BenchmarkSQLite(b *testing.B) {
	for _, sync := range []string{"NORMAL", "FULL"} {
		b.Run(sync, func(b *testing.B) {
			driver := peerDriver(b)
			file := func() *sql.DB { return openSQLite(b, driver, sync, 1) }
			ours := sqlite.Open(filepath.Join(b.TempDir(), "tasks.db"), sqlite.Synchronous(sqlite.Sync(sync)))
			many := sqlite.Open(filepath.Join(b.TempDir(), "many.db"), sqlite.Synchronous(sqlite.Sync(sync)))
			compare(b,
				side{"taskflow", 20_000, startTaskflow(b, ours, producers).round},
				side{"taskflow-many", 20_000, startTaskflow(b, many, producers).many(plainBatch)},
				side{"backlite", 4_000, startBacklite(b, file(), 100, true)},
				side{"backlite-unkept", 4_000, startBacklite(b, file(), 100, false)},
				side{"backlite-documented", 200, startBacklite(b, file(), 10, true)},
				side{"goqite", 4_000, startGoqite(b, file(), 64, time.Millisecond, 20*time.Millisecond)},
				side{"goqite-documented", 200, startGoqite(b, file(), 1, 10*time.Millisecond, 5*time.Second)},
				side{"plain", 20_000, startPlain(b, sync)},
			)
		})
	}
}
