//go:build unix

package doctest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
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
	args := append(command, "-addr", addr, "-db", filepath.Join(data, "tasks.db"), "-dir", filepath.Join(data, "images"))
	p := start(t, root, args)
	for _, page := range []struct{ path, accept, want string }{
		{"/tasks/", "application/json", "["},
		{"/tasks/dashboard", "text/html", "<!doctype html>"},
	} {
		if body := p.getUntilUp("http://"+addr+page.path, page.accept); !strings.HasPrefix(strings.ToLower(body), page.want) {
			t.Errorf("GET %s begins with %.40q, want %q", page.path, body, page.want)
		}
	}
	p.interrupt()
}

// program is a program that go run has started.
type program struct {
	t     *testing.T
	ctx   context.Context
	cmd   *exec.Cmd
	out   output
	ended chan error
}

// start runs a command, which the end of the test ends at the latest.
func start(t *testing.T, dir string, command []string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // it may have to be built
	p := &program{t: t, ctx: ctx, ended: make(chan error, 1)}
	p.cmd = exec.CommandContext(ctx, command[0], command[1:]...)
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), "GOWORK=off")
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a group of its own: Ctrl-C reaches the program below go run too
	p.cmd.Cancel = func() error { return syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waited := make(chan struct{})
	go func() { p.ended <- p.cmd.Wait(); close(waited) }() // awaited below
	t.Cleanup(func() { cancel(); <-waited })
	return p
}

// interrupt stops the program as Ctrl-C does, and expects nothing to complain about.
func (p *program) interrupt() {
	p.t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT); err != nil {
		p.t.Fatal(err)
	}
	// The go command itself answers Ctrl-C with status 1, whatever the program did. What it printed is all there: Wait reads until
	// no process of the group has it open.
	var status *exec.ExitError
	if err := <-p.ended; err != nil && (!errors.As(err, &status) || status.ExitCode() != 1) {
		p.t.Errorf("after Ctrl-C: %v; the program said\n%s", err, p.out.String())
	}
	said := p.out.String()
	if _, end, ok := strings.Cut(said, "shutting down"); !ok || !strings.Contains(end, "msg=stopped") || strings.Contains(said, "ERROR") || strings.Contains(said, "panic") {
		p.t.Errorf("after Ctrl-C the program did not stop as it should; it said\n%s", said)
	}
}

// getUntilUp asks again until somebody listens.
func (p *program) getUntilUp(url, accept string) (body string) {
	p.t.Helper()
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		req, err := http.NewRequestWithContext(p.ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			p.t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			return bodyOf(p.t, resp)
		}
		select {
		case <-retry.C:
		case <-p.ctx.Done():
			p.t.Fatalf("GET %s: %v; the program said\n%s", url, err, p.out.String())
		case end := <-p.ended:
			p.ended <- end
			p.t.Fatalf("GET %s: %v; the program has ended (%v) and said\n%s", url, err, end, p.out.String())
		}
	}
}

func bodyOf(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatalf("%s: %v", resp.Request.URL, err)
	}
	return string(body)
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
