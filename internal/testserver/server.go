package testserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	startTimeout = 90 * time.Second // a second is usual, a busy machine needs more
	stopTimeout  = 60 * time.Second
)

// Server is a running server. Its methods may be called from several goroutines; they end the test when they fail.
type Server struct {
	// URL is how clients reach the server: redis://127.0.0.1:port/0, postgres://user:password@127.0.0.1:port/db?sslmode=disable,
	// or, for MariaDB, the data source name user:password@tcp(127.0.0.1:port)/db of github.com/go-sql-driver/mysql. The user may
	// do everything. The database is empty at first, and the same for all users of the server: see NewDatabase. What changes
	// with TLS is said at [WithTLS].
	URL string
	// Addr is the server's host and port.
	Addr string
	// CAFile is the certificate, as a PEM file, that a client of a server [WithTLS] has to trust; empty without.
	CAFile string

	kind     kind
	cfg      config
	tb       testing.TB // whose server it is; nil: it is shared
	programs programs
	account  *account // whom it runs as; nil: as this process
	dir      *folder
	port     int
	password string

	mu      sync.Mutex // guards what follows, and lets one of Kill, Stop, Start, Pause and Resume run at a time
	proc    *process   // the last one that was started
	running bool       // proc was not told to end
	paused  bool
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
			t.Logf("testserver: the end of what %v said:\n%s", s, s.output())
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
		return nil, fmt.Errorf("%s: %w", k.name(), err)
	}
	if s.account, err = accountFor(k.accounts()); err != nil {
		return nil, fmt.Errorf("an account for %s: %w", k.name(), err)
	}
	if s.dir, err = newFolder(s.account); err != nil {
		return nil, fmt.Errorf("the folder of a %s server: %w", k.name(), err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.dir.remove())
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if s.cfg.tls {
		if err := s.writeCertificate(); err != nil {
			return nil, fmt.Errorf("a certificate for a %s server: %w", k.name(), err)
		}
	}
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

// errPortTaken: another process was faster than the server, or has taken its port while it was down.
var errPortTaken = errors.New("the port is in use")

// start starts the process and waits until the server answers.
func (s *Server) start(ctx context.Context) error {
	proc, err := startProcess(s.command(s.programs.server, s.kind.arguments(s)...))
	if err != nil {
		return err
	}
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		notReady := s.kind.ready(ctx, s)
		if notReady == nil {
			s.proc, s.running, s.paused = proc, true, false
			return nil
		}
		select {
		case <-poll.C:
		case <-proc.done:
			if strings.Contains(proc.output(), "Address already in use") {
				return errPortTaken
			}
			return fmt.Errorf("%s ended at once (%s); it said:\n%s", s.programs.server, proc.state(), proc.output())
		case <-ctx.Done():
			err := fmt.Errorf("%s does not answer: %w; it said:\n%s", s.programs.server, notReady, proc.output())
			return errors.Join(err, proc.kill())
		}
	}
}

// Kill kills the server (SIGKILL), with all of its processes, and waits until they are dead. One that does not run is left as
// it is. It may be started again.
func (s *Server) Kill() {
	s.change("kill", func() error {
		if !s.running {
			return nil
		}
		s.running = false
		return s.proc.kill()
	})
}

// Stop lets the server shut down in order, which does not wait for clients, and waits for its end. One that does not run is
// left as it is. It may be started again.
func (s *Server) Stop() {
	s.change("stop", s.stop)
}

// Start starts the server again after Kill or Stop, with the same port and the same data, and waits until it answers. One that
// runs is left as it is.
func (s *Server) Start() {
	s.change("start", func() error {
		if s.running {
			return nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		again := time.NewTicker(100 * time.Millisecond)
		defer again.Stop()
		for {
			err := s.start(ctx)
			if !errors.Is(err, errPortTaken) {
				return err
			}
			select {
			case <-again.C: // somebody else may have the port for a moment
			case <-ctx.Done():
				return err
			}
		}
	})
}

// Pause freezes the server (SIGSTOP), with all of its processes: connections are accepted by the kernel, and nothing answers.
// It may be killed or stopped even so.
func (s *Server) Pause() {
	s.change("pause", func() error {
		if !s.running {
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
	if !s.running || !s.paused {
		return nil
	}
	s.paused = false
	return s.proc.resume()
}

func (s *Server) stop() error {
	if !s.running {
		return nil
	}
	if err := s.resume(); err != nil {
		return err
	}
	s.running = false
	return s.proc.stop(s.kind.stopSignal())
}

// change is the frame of the methods that change whether the server runs.
func (s *Server) change(what string, f func() error) {
	if s.tb == nil {
		panic("testserver: other tests use the shared server, it cannot be changed; start one for this test: testserver." + s.kind.name() + "(t)")
	}
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.died()
	if err == nil {
		err = f()
	}
	if err != nil {
		s.tb.Fatalf("testserver: %s %v: %v", what, s, err)
	}
}

// died returns an error, once, when the server has ended without having been told to.
func (s *Server) died() error {
	if !s.running || !s.proc.ended() {
		return nil
	}
	s.running = false
	return fmt.Errorf("%v has ended by itself (%s); it said:\n%s", s, s.proc.state(), s.proc.output())
}

// close ends the server and removes its folder.
func (s *Server) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.died(), s.stop(), s.kind.dispose(s), s.dir.remove())
}

// output returns the end of what the server, which has been started last, wrote to its standard output and error.
func (s *Server) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc.output()
}

// String names the server in messages.
func (s *Server) String() string { return "the " + s.kind.name() + " server at " + s.Addr }
