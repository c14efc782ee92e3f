package testserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	startTimeout = 90 * time.Second // a busy machine with two cores needs a few seconds
	stopTimeout  = 60 * time.Second
)

// Server is a running server. Its methods may be called from several goroutines; they end the test when they fail.
type Server struct {
	// URL is how clients reach the server: redis://127.0.0.1:port/0, postgres://user:password@127.0.0.1:port/db?sslmode=disable,
	// or, for MariaDB, the data source name user:password@tcp(127.0.0.1:port)/db of github.com/go-sql-driver/mysql. The user may
	// do everything. The database is empty at first, and the same for all users of the server: see NewDatabase.
	URL string
	// Addr is the server's host and port.
	Addr string

	kind     kind
	cfg      config
	tb       testing.TB // whose server it is; nil: it is shared
	programs programs
	account  *account // whom it runs as; nil: as this process
	dir      string
	port     int
	password string

	mu     sync.Mutex // guards what follows, and lets one of Kill, Stop, Start, Pause and Resume run at a time
	proc   *process   // nil: it does not run
	paused bool
}

// Redis starts a Redis server for this test. It keeps an append-only file, so that its data survives Kill and Stop.
func Redis(t testing.TB, opts ...Option) *Server {
	t.Helper()
	return private(t, redis{}, opts)
}

// PostgreSQL starts a PostgreSQL server for this test.
func PostgreSQL(t testing.TB, opts ...Option) *Server {
	t.Helper()
	return private(t, postgres{}, opts)
}

// MariaDB starts a MariaDB server for this test.
func MariaDB(t testing.TB, opts ...Option) *Server {
	t.Helper()
	return private(t, mariadb{}, opts)
}

func private(t testing.TB, k kind, opts []Option) *Server {
	t.Helper()
	checkSkip(t, k)
	s, err := launch(k, opts)
	if err != nil {
		t.Fatalf("testserver: %v", err)
	}
	s.tb = t
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Errorf("testserver: %v", err)
		}
		if t.Failed() {
			t.Logf("testserver: the end of what the %s server at %s said:\n%s", k.name(), s.Addr, s.tail())
		}
	})
	return s
}

// launch starts a new server in a new folder.
func launch(k kind, opts []Option) (_ *Server, err error) {
	s := &Server{kind: k, password: rand.Text()}
	for _, o := range opts {
		o(&s.cfg)
	}
	if s.programs, err = k.find(); err != nil {
		return nil, err
	}
	if s.account, err = accountFor(k.accounts()); err != nil {
		return nil, fmt.Errorf("an account for %s: %w", k.name(), err)
	}
	if s.dir, err = newDir(s.account); err != nil {
		return nil, fmt.Errorf("the folder of a %s server: %w", k.name(), err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(s.dir))
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := k.initialise(ctx, s); err != nil {
		return nil, fmt.Errorf("prepare the folder of a %s server: %w", k.name(), err)
	}
	if err := s.startOnFreePort(ctx); err != nil {
		return nil, fmt.Errorf("start a %s server: %w", k.name(), err)
	}
	s.URL = k.url(s, k.database())
	return s, nil
}

func (s *Server) startOnFreePort(ctx context.Context) error {
	for {
		port, err := freePort(ctx)
		if err != nil {
			return err
		}
		s.port, s.Addr = port, fmt.Sprintf("127.0.0.1:%d", port)
		if err := s.start(ctx); !errors.Is(err, errPortTaken) {
			return err
		}
	}
}

// errPortTaken: the port was free when it was looked for, and another process was faster.
var errPortTaken = errors.New("the port is in use")

// start starts the process and waits until the server answers.
func (s *Server) start(ctx context.Context) error {
	proc, err := startProcess(s.command(s.programs.server, s.kind.arguments(s)...))
	if err != nil {
		return err
	}
	var notReady error
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		if notReady = s.kind.ready(ctx, s); notReady == nil {
			s.proc, s.paused = proc, false
			return nil
		}
		select {
		case <-poll.C:
		case <-proc.done:
			out := proc.output()
			if strings.Contains(out, "Address already in use") {
				return errPortTaken
			}
			return fmt.Errorf("%s ended at once (%s); it said:\n%s", s.programs.server, proc.state(), out)
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s does not answer: %w; it said:\n%s", s.programs.server, notReady, proc.output()), proc.kill())
		}
	}
}

// NewDatabase creates a database and returns its URL, in the form of [Server.URL]. It vanishes with the server. Redis has no
// databases that could be created: its URL is returned unchanged, and tests keep apart by key prefixes or by the numbers
// (0 to 15) of its databases.
func (s *Server) NewDatabase(t testing.TB) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())[:16]
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	if err := s.kind.createDatabase(ctx, s, name); err != nil {
		t.Fatalf("testserver: create a database of the %s server at %s: %v", s.kind.name(), s.Addr, err)
	}
	return s.kind.url(s, name)
}

// Kill kills the server (SIGKILL), with all of its processes, and waits until they are dead. One that does not run is left as
// it is. It may be started again.
func (s *Server) Kill() {
	s.change("kill", func() error {
		if s.proc == nil {
			return nil
		}
		proc := s.proc
		s.proc = nil
		return proc.kill()
	})
}

// Stop lets the server shut down in order, and waits for its end. Connections are not waited for. One that does not run is
// left as it is. It may be started again.
func (s *Server) Stop() {
	s.change("stop", s.stop)
}

// Start starts the server again after Kill or Stop, with the same port and the same data, and waits until it answers. One that
// runs is left as it is.
func (s *Server) Start() {
	s.change("start", func() error {
		if s.proc != nil {
			return nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		for {
			// Somebody else may hold the port for a moment.
			if err := s.start(ctx); !errors.Is(err, errPortTaken) || ctx.Err() != nil {
				return err
			}
		}
	})
}

// Pause freezes the server (SIGSTOP): its port still accepts connections, and nothing answers. Kill and Stop end it even so.
func (s *Server) Pause() {
	s.change("pause", func() error {
		if s.proc == nil {
			return errors.New("it does not run")
		}
		s.paused = true
		return s.proc.pause()
	})
}

// Resume lets a paused server go on. One that is not paused is left as it is.
func (s *Server) Resume() {
	s.change("resume", s.resume)
}

func (s *Server) resume() error {
	if s.proc == nil || !s.paused {
		return nil
	}
	s.paused = false
	return s.proc.resume()
}

func (s *Server) stop() error {
	if s.proc == nil {
		return nil
	}
	if err := s.resume(); err != nil {
		return err
	}
	proc := s.proc
	s.proc = nil
	return proc.stop(s.kind.stopSignal())
}

// change is the frame of the methods that change whether the server runs.
func (s *Server) change(what string, f func() error) {
	if s.tb == nil {
		panic("testserver: a shared server has other users and is left alone; start one for this test: testserver." + s.kind.name() + "(t)")
	}
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := f(); err != nil {
		s.tb.Fatalf("testserver: %s the %s server at %s: %v", what, s.kind.name(), s.Addr, err)
	}
}

// close ends the server and removes its folder. It fails when the server had ended without being asked to.
func (s *Server) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.proc != nil && s.proc.ended() {
		err = fmt.Errorf("the %s server at %s has ended by itself (%s); it said:\n%s", s.kind.name(), s.Addr, s.proc.state(), s.proc.output())
		s.proc = nil
	}
	return errors.Join(err, s.stop(), os.RemoveAll(s.dir))
}

func (s *Server) tail() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return "(it does not run)"
	}
	return s.proc.output()
}
