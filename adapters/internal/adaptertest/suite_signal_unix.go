//go:build unix

package adaptertest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// testSignals: real signals to a real process, which [Main] is in a test binary that was started as a child.
func testSignals(t *testing.T, _ Framework) {
	t.Run("the first stops gracefully", func(t *testing.T) { t.Parallel(); testFirstSignal(t) })
	t.Run("the second kills", func(t *testing.T) {
		t.Parallel()
		p := startChild(t, serving)
		askAt(t, p.url+"/start")
		p.waitLine("task started") // and never ends: the stop waits for it
		p.signal(syscall.SIGTERM)
		p.waitLine("shutting down")
		p.killBySecondSignal()
	})
	t.Run("the second kills a start, too", func(t *testing.T) {
		t.Parallel()
		p := startChild(t, stuck)
		p.waitLine("opening")
		p.signal(syscall.SIGTERM)
		p.killBySecondSignal()
	})
}

// process is a running child.
type process struct {
	*exec.Cmd
	t     *testing.T
	lines chan string
	url   string
}

func startChild(t *testing.T, role string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: cmd, t: t, lines: make(chan string, 100)}
	go p.follow(out) // ends with the process
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	p.url = strings.TrimPrefix(p.waitLine("address "), "address ")
	return p
}

func (p *process) follow(out io.Reader) {
	defer close(p.lines)
	for s := bufio.NewScanner(out); s.Scan(); {
		p.lines <- s.Text()
	}
}

// waitLine returns the next line of the process that contains part.
func (p *process) waitLine(part string) string {
	p.t.Helper()
	for {
		line := Receive(p.t, fmt.Sprintf("line with %q", part), p.lines)
		if strings.Contains(line, part) {
			return line
		}
		if line == "" {
			p.t.Fatalf("the process ended without a line with %q", part)
		}
	}
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v: %v", s, err)
	}
}

func testFirstSignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			p := startChild(t, serving)
			askAt(t, p.url+"/start")
			p.waitLine("task started")
			answered := make(chan error, 1)
			go func() {
				resp, err := http.Get(p.url + "/finish-after-stop")
				if err == nil {
					err = resp.Body.Close()
				}
				answered <- err
			}()
			p.waitLine("handling")
			p.signal(sig)
			if line := p.waitLine("shutting down"); !strings.Contains(line, sig.String()) {
				t.Errorf("the log does not name the signal: %s", line)
			}
			if err := Receive(t, "the response of the request in flight", answered); err != nil {
				t.Errorf("the request in flight: %v", err)
			}
			p.waitLine("task finished")
			p.waitLine("msg=stopped")
			p.waitLine("clean end")
			if err := p.Wait(); err != nil {
				t.Errorf("the process: %v", err)
			}
		})
	}
}

func (p *process) killBySecondSignal() {
	p.t.Helper()
	Eventually(p.t, "the second signal kills the process", func() bool {
		// Repeated, because the process gives the signal back to the system a little after the first.
		if err := p.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
			return true
		}
		select {
		case _, open := <-p.lines:
			return !open
		default:
			return false
		}
	})
	var exit *exec.ExitError
	if err := p.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		p.t.Errorf("the process ended with %v, want it killed by SIGTERM", err)
	}
}

func askAt(t *testing.T, url string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
}
