package mysql_test

import (
	"sync"
	"testing"

	"github.com/taskflow-go/taskflow/backends/mysql"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/core/backendtest"
)

func TestMariaDBKeepsTheContract(t *testing.T) {
	t.Parallel()
	address := server(t)
	var prefixes sync.Map // of backends
	open := func(prefix string) taskflow.Backend {
		b := mysql.Open(address, mysql.Prefix(prefix), mysql.PoolSize(8))
		prefixes.Store(b, prefix)
		return b
	}
	again := func(_ *testing.T, b taskflow.Backend) taskflow.Backend {
		p, _ := prefixes.Load(b)
		return open(p.(string))
	}
	backendtest.Harness{
		Open:   func(t *testing.T) taskflow.Backend { return open(prefix(t, address)) },
		Reopen: again,
		Other:  again,
	}.Run(t)
}
