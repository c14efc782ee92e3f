package testserver_test

import (
	"testing"

	"github.com/taskflow-go/taskflow/internal/testserver"
)

func TestMain(m *testing.M) { testserver.Main(m) }

func TestEachKindStartsIsKilledAndStartsAgain(t *testing.T) {
	for name, start := range map[string]func(testing.TB, ...testserver.Option) *testserver.Server{
		"redis": testserver.Redis, "postgres": testserver.PostgreSQL, "mariadb": testserver.MariaDB,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			t.Log(s.URL, s.NewDatabase(t))
			s.Kill()
			s.Start()
			t.Log(s.NewDatabase(t))
			s.Pause()
			s.Resume()
			t.Log(s.NewDatabase(t))
			s.Stop()
			s.Start()
			t.Log(s.NewDatabase(t))
		})
	}
}
