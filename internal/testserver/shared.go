package testserver

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
)

// Runner is a [testing.M], or what stands around one.
type Runner interface {
	// Run runs the tests and returns the exit code.
	Run() int
}

// Main runs the tests of a package, stops the servers that they shared, also when tests have failed, and exits:
//
//	func TestMain(m *testing.M) { testserver.Main(m) }
func Main(m Runner) {
	os.Exit(Stopping(m).Run())
}

// Stopping returns a runner that runs m and then stops the shared servers. It is for a TestMain that has more to do than
// [Main], such as to look for goroutines that are left: goleak.VerifyTestMain(testserver.Stopping(m)).
func Stopping(m Runner) Runner {
	return stopping{m}
}

type stopping struct{ tests Runner }

func (s stopping) Run() int {
	shared.allow()
	code := s.tests.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintf(os.Stderr, "testserver: %v\n", err)
		return max(code, 1)
	}
	return code
}

// SharedRedis returns the Redis server that all tests of this binary share; the first call starts it. Tests leave it running,
// and keep apart by key prefixes.
func SharedRedis(t testing.TB) *Server {
	t.Helper()
	return shared.get(t, redis{})
}

// SharedPostgreSQL returns the PostgreSQL server that all tests of this binary share; the first call starts it. Tests leave it
// running, and keep apart by [Server.NewDatabase].
func SharedPostgreSQL(t testing.TB) *Server {
	t.Helper()
	return shared.get(t, postgres{})
}

// SharedMariaDB returns the MariaDB server that all tests of this binary share; the first call starts it. Tests leave it
// running, and keep apart by [Server.NewDatabase].
func SharedMariaDB(t testing.TB) *Server {
	t.Helper()
	return shared.get(t, mariadb{})
}

// shared is a variable of the package because a test binary is what shares: TestMain has no other way to its tests.
var shared registry

// registry holds the servers that were started for all tests.
type registry struct {
	mu    sync.Mutex
	kinds map[string]*entry // nil: nobody would stop them
}

// entry is one kind's server. The lock of the registry is not held while it starts: kinds start side by side.
type entry struct {
	once   sync.Once
	server *Server
	err    error
}

func (r *registry) allow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kinds = map[string]*entry{}
}

func (r *registry) get(t testing.TB, k kind) *Server {
	t.Helper()
	checkSkip(t, k)
	e := r.entry(k)
	if e == nil {
		t.Fatalf("testserver: nobody would stop a shared server; add: func TestMain(m *testing.M) { testserver.Main(m) }")
	}
	e.once.Do(func() { e.server, e.err = launch(k, nil) })
	if e.err != nil {
		t.Fatalf("testserver: %v", e.err)
	}
	return e.server
}

func (r *registry) entry(k kind) *entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kinds != nil && r.kinds[k.name()] == nil {
		r.kinds[k.name()] = new(entry)
	}
	return r.kinds[k.name()]
}

func (r *registry) stop() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, e := range r.kinds {
		if e.server != nil {
			errs = append(errs, e.server.close())
		}
	}
	r.kinds = nil
	return errors.Join(errs...)
}
