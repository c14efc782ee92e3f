package testserver_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/internal/testserver"
)

// checkSegments fails the test when the server has left a segment of System V memory, as PostgreSQL uses it.
func checkSegments(t *testing.T, s *testserver.Server) {
	t.Helper()
	if segments(t, s.Pid()) != 0 {
		t.Errorf("%v has left a segment of memory", s)
	}
}

// segments returns how many segments of System V memory a process has created that still exist.
func segments(t *testing.T, pid int) (n int) {
	t.Helper()
	text, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		// key shmid perms size cpid …
		if fields := strings.Fields(line); len(fields) > 4 && fields[4] == strconv.Itoa(pid) {
			n++
		}
	}
	return n
}

// checkPausedProcesses fails the test unless each process of the server is paused: PostgreSQL has one for each connection.
func checkPausedProcesses(t *testing.T, s *testserver.Server) {
	t.Helper()
	pids, err := s.Children()
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range append(pids, s.Pid()) {
		within(t, func() error {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if err == nil && !strings.Contains(string(stat), ") T ") {
				err = fmt.Errorf("process %d of %v is not paused: %s", pid, s, stat)
			}
			return err
		})
	}
}

// within tries f until it succeeds, and fails the test when it does not for a long time.
func within(t *testing.T, f func() error) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	timeout := time.After(30 * time.Second)
	for {
		err := f()
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-timeout:
			t.Fatal(err)
		}
	}
}

// TestServersDieWithTheProcessOfTheTests starts servers in a child process, and kills it. Everything that it has started has
// inherited the end of a pipe, the other end of which tells when nobody is left.
func TestServersDieWithTheProcessOfTheTests(t *testing.T) {
	t.Parallel()
	testserver.Skip(t, "redis", "postgres", "mariadb")
	if inChild() {
		for _, k := range kinds {
			report(k.start(t))
		}
		fmt.Println("ready")
		select {} // until it is killed
	}
	alive, inherited, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	cmd := child(t)
	cmd.ExtraFiles = []*os.File{nil, inherited} // not the first: the servers have another file there
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	inherited.Close()
	servers := untilReady(t, out)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child has ended by itself")
	}
	if err := alive.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, alive); err != nil {
		t.Fatalf("servers live longer than the process of their tests: %v", err)
	}
	testserver.Redis(t) // removes what others have left
	for _, s := range servers {
		within(t, func() error { // the tests of another package may be at it, and not be done
			if _, err := os.Stat(s.folder); err == nil {
				return fmt.Errorf("%s was left behind, and is still there", s.folder)
			} else if !errors.Is(err, os.ErrNotExist) {
				return err
			}
			if segments(t, s.pid) != 0 {
				return fmt.Errorf("process %d has left a segment of memory, and it is still there", s.pid)
			}
			return nil
		})
	}
}
