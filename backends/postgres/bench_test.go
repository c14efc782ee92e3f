package postgres_test

import (
	"testing"

	"github.com/taskflow-go/taskflow/backends/internal/sqltest"
	"github.com/taskflow-go/taskflow/backends/postgres"
)

func BenchmarkSave(b *testing.B)       { sqltest.BenchmarkSave(b, fresh) }
func BenchmarkPutPending(b *testing.B) { sqltest.BenchmarkPutPending(b, fresh) }
func BenchmarkLife(b *testing.B)       { sqltest.BenchmarkLife(b, fresh) }
func BenchmarkSubmit(b *testing.B)     { sqltest.BenchmarkSubmit(b, fresh) }
func BenchmarkMillion(b *testing.B)    { sqltest.BenchmarkMillion(b, fresh) }

func fresh(b *testing.B) sqltest.Backend {
	b.Helper()
	address := server(b)
	return opened(b, address, postgres.Prefix(prefix(b, address)))
}
