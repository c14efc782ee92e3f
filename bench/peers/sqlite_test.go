package peers

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"testing"

	_ "github.com/mattn/go-sqlite3" // the driver that the peers' documents show; it needs cgo
	_ "modernc.org/sqlite"          // the one that taskflow uses
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
	db, err := sql.Open(driver, "file:"+filepath.Join(b.TempDir(), "tasks.db")+"?"+settings(driver, sync).Encode())
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
