//go:build unix

package tasks_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// childRole makes the test binary the server that a test sends signals to.
const childRole = "TASKFLOW_TEST_CHILD"

// child is the program: its task ends when somebody asks for /finish, or never. It reports on stdout.
func child() error {
	say := func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
	m, err := taskflow.New(taskflow.WithLogger(slog.New(slog.NewTextHandler(os.Stdout, nil))))
	if err != nil {
		return err
	}
	ln, err := listenLocal()
	if err != nil {
		return err
	}
	engine := newEngine(m)
	finish := make(chan struct{})
	engine.GET("/start", func(c *gin.Context) {
		tasks.Add(c, func() { say("task started"); <-finish; say("task finished") })
	})
	engine.GET("/finish-after-stop", func(c *gin.Context) {
		say("handling")
		<-m.Draining()
		close(finish)
	})
	say("address http://%s", ln.Addr())
	if err := tasks.Run(context.Background(), engine, m, "", tasks.WithListener(ln)); err != nil {
		return err
	}
	say("clean end")
	return nil
}

// process is a running child.
type process struct {
	*exec.Cmd
	t     *testing.T
	lines chan string
	url   string
}

func startChild(t *testing.T) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"=1")
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
		line := adaptertest.Receive(p.t, fmt.Sprintf("line with %q", part), p.lines)
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

func TestFirstSignalStopsGracefully(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			p := startChild(t)
			get(t, p.url+"/start")
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
			if err := adaptertest.Receive(t, "the response of the request in flight", answered); err != nil {
				t.Errorf("the request in flight: %v", err)
			}
			p.waitLine("task finished")
			p.waitLine("clean end")
			if err := p.Wait(); err != nil {
				t.Errorf("the process: %v", err)
			}
		})
	}
}

func TestSecondSignalKills(t *testing.T) {
	t.Parallel()
	p := startChild(t)
	get(t, p.url+"/start")
	p.waitLine("task started") // and never ends: the stop waits for it
	p.signal(syscall.SIGTERM)
	p.waitLine("shutting down")
	adaptertest.Eventually(t, "the second signal kills the process", func() bool {
		// Repeated, because the process gives the signal back to the system right after it has logged the first.
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
		t.Errorf("the process ended with %v, want it killed by SIGTERM", err)
	}
}
