package mysql_test

import (
	"testing"

	"github.com/taskflow-go/taskflow/backends/internal/sqltest"
	"github.com/taskflow-go/taskflow/backends/mysql"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestManagerOverARestart(t *testing.T) {
	t.Parallel()
	address := server(t)
	p := prefix(t, address)
	open := func() taskflow.Backend { return mysql.Open(address, mysql.Prefix(p)) }
	sqltest.ManagerOverARestart(t, open, opened(t, address, mysql.Prefix(p)))
}
