package testserver_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/internal/testserver"
)

// childVariable is set in a test binary that a test has started, to see from outside what becomes of it. The value "alone"
// is for one whose TestMain does not call Main.
const childVariable = "TASKFLOW_TESTSERVER_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "alone" {
		os.Exit(m.Run())
	}
	testserver.Main(m)
}

func inChild() bool { return os.Getenv(childVariable) != "" }

// child returns a command that runs this test again, in a process of its own.
func child(t *testing.T, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(append(os.Environ(), childVariable+"=yes", "TASKFLOW_SKIP="), env...)
	return cmd
}

func TestWhatTheUserDoesWithoutIsSkipped(t *testing.T) {
	t.Parallel()
	if inChild() {
		for _, k := range kinds {
			t.Run(k.name, func(t *testing.T) { k.start(t) })
			t.Run("shared "+k.name, func(t *testing.T) { k.shared(t) })
		}
		return
	}
	out, err := child(t, "TASKFLOW_SKIP= Redis ,postgres,mariadb").CombinedOutput()
	if err != nil {
		t.Errorf("skipping is a failure: %v", err)
	}
	for _, k := range kinds {
		if n := strings.Count(string(out), "skipped because TASKFLOW_SKIP names "+k.name); n != 2 {
			t.Errorf("%d tests say that they are skipped for want of %s, want 2", n, k.name)
		}
	}
	if n := strings.Count(string(out), "--- SKIP"); n != 2*len(kinds) {
		t.Errorf("%d tests are skipped, want %d", n, 2*len(kinds))
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}

// TestFailuresSayWhatToDo is about the texts; each of its children fails.
func TestFailuresSayWhatToDo(t *testing.T) {
	t.Parallel()
	testserver.Skip(t, "redis")
	for _, tt := range []struct {
		name string
		env  string
		run  func(*testing.T) // in the child
		want []string
	}{
		{
			name: "program missing", run: func(t *testing.T) { testserver.Missing(t) },
			want: []string{"no-such-server was found neither in the PATH nor in /no/such/folder", "make servers", "TASKFLOW_SKIP=redis"},
		},
		{
			name: "unknown name", env: "TASKFLOW_SKIP=redis,postgresql", run: func(t *testing.T) { testserver.Redis(t) },
			want: []string{`TASKFLOW_SKIP="redis,postgresql" names "postgresql"`, "redis, postgres, mariadb and browser"},
		},
		{
			name: "server ends at once", run: func(t *testing.T) { testserver.Broken(t) },
			want: []string{"redis-server ended at once (exit status 1)", "no-such-option"},
		},
		{
			name: "server dies", run: func(t *testing.T) {
				s := testserver.Redis(t)
				if _, err := askRedis(t.Context(), s, s.URL, "SHUTDOWN"); !errors.Is(err, io.EOF) {
					t.Log(err)
				}
				s.WaitForEnd()
			},
			want: []string{"the Redis server at 127.0.0.1:", "has ended by itself (exit status 0)", "Redis is now ready to exit"},
		},
		{
			name: "failed test", run: func(t *testing.T) { testserver.Redis(t); t.Fail() },
			want: []string{"the end of what the Redis server at 127.0.0.1:", "Ready to accept connections"},
		},
		{
			name: "nobody calls Main", env: childVariable + "=alone", run: func(t *testing.T) { testserver.SharedRedis(t) },
			want: []string{"func TestMain(m *testing.M) { testserver.Main(m) }"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if inChild() {
				tt.run(t)
				return
			}
			t.Parallel()
			out, err := child(t, tt.env).CombinedOutput()
			if exit := new(exec.ExitError); !errors.As(err, &exit) {
				t.Errorf("the test ended with %v, want a failure", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("%q is missing", want)
				}
			}
			if t.Failed() {
				t.Logf("%s", out)
			}
		})
	}
}

func TestSharedServersAreStoppedWhenTestsFail(t *testing.T) {
	t.Parallel()
	testserver.Skip(t, "redis", "postgres", "mariadb")
	if inChild() {
		for _, k := range kinds {
			report(k.shared(t))
		}
		fmt.Println("ready")
		t.Fatal("on purpose")
	}
	cmd := child(t)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	servers := untilReady(t, out)
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("a test has failed, and Main exits with 0")
	}
	for _, s := range servers {
		if _, err := os.Stat(s.folder); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v, want none", s.folder, err)
		}
	}
}

// started is a server that a child has started.
type started struct {
	folder string
	pid    int
}

// report prints what untilReady reads.
func report(s *testserver.Server) { fmt.Println("started", s.Dir(), s.Pid()) }

// untilReady returns the servers that a child has started, one of each kind.
func untilReady(t *testing.T, out io.Reader) (servers []started) {
	t.Helper()
	var said strings.Builder
	for r := bufio.NewReader(out); ; {
		line, err := r.ReadString('\n')
		if err != nil || line == "ready\n" {
			break
		}
		said.WriteString(line)
		var s started
		if n, err := fmt.Sscanf(line, "started %s %d", &s.folder, &s.pid); n == 2 && err == nil {
			servers = append(servers, s)
		}
	}
	if len(servers) != len(kinds) {
		t.Fatalf("the child has started %d servers, want %d; it said:\n%s", len(servers), len(kinds), said.String())
	}
	return servers
}
