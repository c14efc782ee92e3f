package mysql_test

import (
	"testing"

	"github.com/taskflow-go/taskflow/backends/internal/sqltest"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// A claim reads, and locks, the rows that it takes, and not all that are free: others would find nothing to claim meanwhile, and taking over
// many would take quadratic time.
func TestAClaimReadsOnlyWhatItTakes(t *testing.T) {
	t.Parallel()
	dsn := testserver.MariaDB(t).NewDatabase(t) // its own: what the server has read is counted for all
	b := opened(t, dsn)
	const free, taken = 3000, 10
	for i := range free / 1000 {
		var list []taskflow.Record
		for n := range 1000 {
			list = append(list, sqltest.PendingRecord(1000*i+n, ""))
		}
		if err := b.PutPending(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	const read = "SELECT sum(cast(variable_value AS signed)) FROM information_schema.global_status WHERE variable_name IN ('Handler_read_next', 'Handler_read_rnd_next')"
	before := ask[int](t, dsn, read)
	rows, err := b.Claim(t.Context(), "me", []string{sqltest.PendingRecord(0, "").Name}, taken)
	if err != nil || len(rows) != taken {
		t.Fatalf("claimed %d rows, %v", len(rows), err)
	}
	if n := ask[int](t, dsn, read) - before; n > 20*taken {
		t.Errorf("the server read %d rows for a claim of %d", n, taken)
	}
}
