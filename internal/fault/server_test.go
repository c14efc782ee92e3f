package fault

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/internal/testserver"
)

// TestKilledServer: the server that keeps the backend is killed under load, stays away for a while, and starts again.
func TestKilledServer(t *testing.T) {
	for _, kind := range serverKinds() {
		t.Run(kind.name, func(t *testing.T) {
			r := random(t)
			server := kind.start(t)
			s := settings{
				Backend: kind.scheme + server.URL, Address: freeAddress(t), Ledger: filepath.Join(t.TempDir(), "ledger"),
				Longest: 20 * time.Millisecond, Lease: 2 * time.Second,
			}
			p := spawn(t, s)
			c := load(t, p.url)
			await(t, "some orders", func() bool { return c.count() > 100 })
			for range max(*kills/2, 1) {
				before := c.refused.Load()
				server.Kill()
				moment(r, 2*time.Second)
				await(t, "a refusal, or an order that got no answer", func() bool { return c.refused.Load()+c.failed.Load() > before })
				server.Start()
				accepted := c.count()
				await(t, "orders again", func() bool { return c.count() > accepted+20 })
				moment(r, time.Second)
			}
			c.end()
			await(t, "the dashboard to be content", func() bool { return !degraded(p) })
			settled(t, p)
			p.stop()
			judge(t, s, c, 0) // the service lives
		})
	}
}

// serverKind is a server that a backend may use.
type serverKind struct {
	name   string
	scheme string // before the server's URL, to make it one of open
	start  func(t *testing.T) *testserver.Server
}

func serverKinds() []serverKind {
	return []serverKind{
		{"redis", "", func(t *testing.T) *testserver.Server {
			t.Helper()
			// what was answered must be in the file; the operating system writes it when only the server dies
			return testserver.Redis(t, testserver.WithArgs("--appendonly", "yes", "--appendfsync", "always"))
		}},
		{"postgres", "", func(t *testing.T) *testserver.Server { t.Helper(); return testserver.PostgreSQL(t) }},
		{"mariadb", "mysql:", func(t *testing.T) *testserver.Server { t.Helper(); return testserver.MariaDB(t) }},
	}
}
