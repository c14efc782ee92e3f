package testserver

import (
	"context"
	"slices"
	"testing"
	"time"
)

// ErrPortTaken is what TryStart returns when something else has the server's port.
var ErrPortTaken = errPortTaken

// Dir returns the server's folder.
func (s *Server) Dir() string { return s.dir.path }

// Client returns the path of the program that runs SQL.
func (s *Server) Client() string { return s.programs.client }

// Pid returns the number of the process that was started last.
func (s *Server) Pid() int { return s.proc.cmd.Process.Pid }

// Children returns the processes that this one has started.
func (s *Server) Children() ([]int, error) { return children(s.Pid()) }

// WaitForEnd returns when the process that was started last has ended.
func (s *Server) WaitForEnd() { <-s.proc.done }

// TryStart starts a server that does not run, without a second attempt.
func (s *Server) TryStart(t *testing.T) error {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return s.start(ctx)
}

// Missing asks for a server whose program is not there.
func Missing(t testing.TB) *Server { return private(t, missing{}, nil) }

type missing struct{ redis }

func (m missing) find() (p programs, err error) {
	p.server, err = find(m, []string{"no-such-server"}, []string{"/no/such/folder"})
	return p, err
}

// Broken asks for a server that ends as soon as it is started.
func Broken(t testing.TB) *Server { return private(t, redis{}, []Option{WithArgs("--no-such-option")}) }

// Skip skips a test when the user does without one of the kinds: what TASKFLOW_SKIP calls them.
func Skip(t testing.TB, names ...string) {
	t.Helper()
	for _, k := range []kind{redis{}, postgres{}, mariadb{}} {
		if slices.Contains(names, k.skipName()) {
			checkSkip(t, k)
		}
	}
}

// Found returns the paths of the servers' programs by the names that TASKFLOW_SKIP has for them, of those that are there.
func Found() map[string]string {
	paths := map[string]string{}
	for _, k := range []kind{redis{}, postgres{}, mariadb{}} {
		if p, err := k.find(); err == nil {
			paths[k.skipName()] = p.server
		}
	}
	return paths
}
