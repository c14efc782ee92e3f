//go:build unix

package doctest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// runExample starts the example as README.md says, only at another address and with its data elsewhere, looks at its dashboard,
// and stops it as Ctrl-C does.
func runExample(t *testing.T, command []string) {
	t.Helper()
	addr, data := freeAddress(t), t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // it may have to be built
	defer cancel()
	args := append(command[1:], "-addr", addr, "-db", filepath.Join(data, "tasks.db"), "-dir", filepath.Join(data, "images"))
	cmd := exec.CommandContext(ctx, command[0], args...)
	cmd.Dir = root
	var out output
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a group of its own: Ctrl-C reaches the program below go run too
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // received below, or the test has failed and the context ends it

	for _, page := range []struct{ path, accept, want string }{
		{"/tasks/", "application/json", "["},
		{"/tasks/dashboard", "text/html", "<!doctype html>"},
	} {
		body, err := getUntilUp(ctx, "http://"+addr+page.path, page.accept, ended)
		if err != nil {
			t.Fatalf("GET %s: %v; the program said\n%s", page.path, err, out.String())
		}
		if !strings.HasPrefix(strings.ToLower(body), page.want) {
			t.Errorf("GET %s begins with %.40q, want %q", page.path, body, page.want)
		}
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	// The go command itself answers Ctrl-C with status 1, whatever the program did. What it printed is all there: Wait reads until
	// no process of the group has it open.
	var status *exec.ExitError
	if err := <-ended; err != nil && (!errors.As(err, &status) || status.ExitCode() != 1) {
		t.Errorf("after Ctrl-C: %v; the program said\n%s", err, out.String())
	}
	if said := out.String(); !strings.Contains(said, "shutting down") || strings.Contains(said, "ERROR") || strings.Contains(said, "panic") {
		t.Errorf("after Ctrl-C the program did not stop as it should; it said\n%s", said)
	}
}

// getUntilUp asks again until somebody listens.
func getUntilUp(ctx context.Context, url, accept string, ended chan error) (string, error) {
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return "", err
		}
		req.Header.Set("Accept", accept)
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			body, err := io.ReadAll(resp.Body)
			if closeErr := resp.Body.Close(); err == nil {
				err = closeErr
			}
			return string(body), err
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return "", err
		case end := <-ended:
			ended <- end
			return "", err
		}
	}
}

// freeAddress returns an address that nobody listens on at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// output collects what a process prints while the test reads it.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
