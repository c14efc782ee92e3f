package postgres_test

import (
	"testing"

	"github.com/taskflow-go/taskflow/backends/internal/sqltest"
	"github.com/taskflow-go/taskflow/backends/postgres"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestManagerOverARestart(t *testing.T) {
	t.Parallel()
	address := server(t)
	p := prefix(t, address)
	open := func() taskflow.Backend { return postgres.Open(address, postgres.Prefix(p)) }
	sqltest.ManagerOverARestart(t, open, opened(t, address, postgres.Prefix(p)))
}
