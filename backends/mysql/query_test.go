package mysql_test

import (
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/internal/sqltest"
	"github.com/taskflow-go/taskflow/backends/mysql"
)

func TestAdversarialFiltersAreAnsweredInBoundedSteps(t *testing.T) {
	t.Parallel()
	address := server(t)
	p := prefix(t, address)
	sqltest.AdversarialFilters(t, func(rows, window int, d time.Duration) sqltest.Backend {
		return opened(t, address, mysql.Prefix(p), mysql.Bounds(rows, window, d))
	})
}

func TestTimesBeyondTheRangeAreClamped(t *testing.T) {
	t.Parallel()
	address := server(t)
	sqltest.TimesBeyondTheRange(t, opened(t, address, mysql.Prefix(prefix(t, address))))
}

func TestTheAuditTrailIsCut(t *testing.T) {
	t.Parallel()
	address := server(t)
	sqltest.AuditTrail(t, opened(t, address, mysql.Prefix(prefix(t, address)), mysql.Audits(20)))
}
