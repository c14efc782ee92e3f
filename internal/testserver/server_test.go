package testserver_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/internal/testserver"
)

// TestServerGoesAndComesBackWithItsData is the life of one server: to make one takes a second or two.
func TestServerGoesAndComesBackWithItsData(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		s := k.start(t)
		k.must(t, s, s.URL, k.write)
		for _, end := range []struct {
			how string
			end func()
		}{
			{"Kill", s.Kill},
			{"Stop", s.Stop},
			{"Kill of a paused one", func() { s.Pause(); s.Kill() }},
			{"Stop of a paused one", func() { s.Pause(); s.Stop() }},
			{"Kill, once more, Stop and Resume", func() { s.Kill(); s.Kill(); s.Stop(); s.Resume() }},
		} {
			end.end()
			if _, err := k.ask(t.Context(), s, s.URL, k.read); err == nil {
				t.Errorf("the server answers after %s", end.how)
			}
			s.Start()
			s.Start() // it runs
			k.wantData(t, s)
		}
		checkPause(t, k, s)
		checkTakenPort(t, k, s)
	})
}

// checkPause: a paused server accepts connections, and says nothing.
func checkPause(t *testing.T, k kind, s *testserver.Server) {
	t.Helper()
	s.Pause()
	checkPausedProcesses(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if answer, err := k.ask(ctx, s, s.URL, k.read); err == nil {
		t.Errorf("a paused server answers %q", answer)
	}
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatalf("a paused server refuses connections: %v", err)
	}
	conn.Close()
	s.Resume()
	s.Resume() // it is not paused
	k.wantData(t, s)
}

// checkTakenPort: while a server is down another process may get its port.
func checkTakenPort(t *testing.T, k kind, s *testserver.Server) {
	t.Helper()
	s.Kill()
	l, err := net.Listen("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.TryStart(t); !errors.Is(err, testserver.ErrPortTaken) {
		t.Errorf("starting on a port in use: %v, want %v", err, testserver.ErrPortTaken)
	}
	l.Close()
	s.Start()
	k.wantData(t, s)
}

func TestServersHaveNothingInCommon(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		one, other := k.start(t), k.start(t)
		if one.URL == other.URL || one.Addr == other.Addr {
			t.Fatalf("both are at %s", one.URL)
		}
		k.must(t, one, one.URL, k.write)
		k.wantNoData(t, other, other.URL)
		one.Kill()
		k.must(t, other, other.URL, k.write)
		k.wantData(t, other)
	})
}

func TestNewDatabaseIsEmptyAndAnother(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		s := k.shared(t)
		one, other := s.NewDatabase(t), s.NewDatabase(t)
		if k.name == "redis" {
			if one != s.URL || other != s.URL {
				t.Errorf("NewDatabase of Redis returned %s and %s, want the server's own URL %s", one, other, s.URL)
			}
			return
		}
		k.must(t, s, one, k.write)
		k.wantNoData(t, s, other)
		k.wantNoData(t, s, s.URL)
	})
}

func TestDatabaseOfSharedPostgreSQLEndsWithItsTest(t *testing.T) {
	t.Parallel()
	s := testserver.SharedPostgreSQL(t)
	var url string
	t.Run("a test", func(t *testing.T) { url = s.NewDatabase(t) })
	if _, err := askPostgreSQL(t.Context(), s, url, "SELECT 1"); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("a database of a test that has ended: %v, want one that does not exist", err)
	}
}

func TestOptionsCountAtEachStart(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		tt := map[string]struct {
			args              []string
			question, expects string
		}{
			"redis":    {[]string{"--requirepass", "open:/sesame", "--databases", "42"}, "CONFIG GET databases", "*2"},
			"postgres": {[]string{"-c", "max_connections=42"}, "SHOW max_connections", "42"},
			"mariadb":  {[]string{"--max-connections=42"}, "SELECT @@max_connections", "42"},
		}[k.name]
		s := k.start(t, testserver.WithArgs(tt.args...), testserver.WithTLS())
		for range 2 {
			if answer := k.must(t, s, s.URL, tt.question); answer != tt.expects {
				t.Errorf("%s is answered by %q, want %q", tt.question, answer, tt.expects)
			}
			s.Kill()
			s.Start()
		}
		rest, _, _ := strings.Cut(s.URL, "?")
		// Without TLS, without the password, without trust in the certificate.
		for _, url := range map[string][]string{
			"redis":    {strings.Replace(rest, "rediss:", "redis:", 1), "rediss://" + s.Addr},
			"postgres": {rest + "?sslmode=verify-full&sslrootcert=/no/such/file"},
			"mariadb":  {rest},
		}[k.name] {
			if answer, err := k.ask(t.Context(), s, url, tt.question); err == nil {
				t.Errorf("%s is answered by %q", url, answer)
			}
		}
	})
}

func TestNothingIsLeftAfterTheTest(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		for _, end := range []struct {
			how string
			end func(*testserver.Server)
		}{
			{"paused", (*testserver.Server).Pause},
			{"killed", (*testserver.Server).Kill},
		} {
			var s *testserver.Server
			t.Run(end.how, func(t *testing.T) {
				s = k.start(t)
				end.end(s)
			})
			if s == nil {
				return // it has not started
			}
			if _, err := os.Stat(s.Dir()); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: the folder: %v, want none", end.how, err)
			}
			if conn, err := net.Dial("tcp", s.Addr); err == nil {
				conn.Close()
				t.Errorf("%s: somebody listens at %s", end.how, s.Addr)
			}
			checkSegments(t, s)
		}
	})
}

func TestSharedServerIsOneAndIsLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, k kind) {
		s := k.shared(t)
		if other := k.shared(t); s != other {
			t.Errorf("there are two: %v and %v", s, other)
		}
		for name, method := range map[string]func(){"Kill": s.Kill, "Stop": s.Stop, "Start": s.Start, "Pause": s.Pause, "Resume": s.Resume} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s of a shared server is allowed", name)
					}
				}()
				method()
			}()
		}
	})
}
