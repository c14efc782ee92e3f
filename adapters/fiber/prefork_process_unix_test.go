//go:build unix

package tasks_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

const preforkChildren = 2

// preforked is a running program with Prefork: a first process and its children.
type preforked struct {
	t      *testing.T
	setup  preforkSetup
	cmd    *exec.Cmd
	lines  chan string // what all processes say; closed when the last of them has ended
	said   strings.Builder
	exited chan error // how the first process ends
}

func startPreforked(t *testing.T, s preforkSetup) *preforked {
	t.Helper()
	s.Store = filepath.Join(t.TempDir(), "tasks.db")
	if s.Addr == "" {
		s.Addr = freeAddr(t, "127.0.0.1:0")
	}
	setup, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), preforkEnv+"="+string(setup), fmt.Sprintf("GOMAXPROCS=%d", preforkChildren))
	cmd.Stderr = in
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that a signal reaches all of them, and they can be cleared away
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	p := &preforked{t: t, setup: s, cmd: cmd, lines: make(chan string, 10_000), exited: make(chan error, 1)}
	go p.follow(out)                       // ends with the processes
	go func() { p.exited <- cmd.Wait() }() // the same
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // none is left after most tests
		p.waitGone()
	})
	return p
}

// freeAddr returns an address that nobody listens on.
func freeAddr(t *testing.T, at string) string {
	t.Helper()
	ln, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func (p *preforked) follow(out io.ReadCloser) {
	defer close(p.lines)
	defer out.Close()
	for s := bufio.NewScanner(out); s.Scan(); {
		p.lines <- s.Text()
	}
}

// waitLine returns the next line with part.
func (p *preforked) waitLine(part string) string {
	p.t.Helper()
	for {
		line, ok := p.next("a line with " + strconv.Quote(part))
		if !ok {
			p.t.Fatalf("all processes have ended without a line with %q\n%s", part, p.said.String())
		}
		if strings.Contains(line, part) {
			return line
		}
	}
}

// waitGone returns when all processes have ended.
func (p *preforked) waitGone() {
	p.t.Helper()
	for ok := true; ok; {
		_, ok = p.next("the end of all processes")
	}
}

func (p *preforked) next(what string) (line string, ok bool) {
	p.t.Helper()
	select {
	case line, ok = <-p.lines:
	case <-time.After(adaptertest.Patience):
		p.t.Fatalf("%s: nothing within %v\n%s", what, adaptertest.Patience, p.said.String())
	}
	if ok {
		p.said.WriteString(line + "\n")
	}
	return line, ok
}

// waitExit returns how the first process has ended.
func (p *preforked) waitExit() error {
	p.t.Helper()
	return adaptertest.Receive(p.t, "the end of the first process", p.exited)
}

func (p *preforked) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// askAll sends requests, of which each adds a task, until all children have answered.
func (p *preforked) askAll() (pids map[int]bool, answers int) {
	p.t.Helper()
	pids = map[int]bool{}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	adaptertest.Eventually(p.t, "all children have answered", func() bool {
		resp, err := client.Get("http://" + p.setup.Addr)
		if err != nil {
			return false // not there yet
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			p.t.Fatalf("%s: %v", resp.Status, err)
		}
		pid, err := strconv.Atoi(string(body))
		if err != nil {
			p.t.Fatal(err)
		}
		pids[pid], answers = true, answers+1
		return len(pids) == preforkChildren
	})
	return pids, answers
}

// history returns what is recorded once all processes have ended.
func (p *preforked) history() []taskflow.Record {
	p.t.Helper()
	m := adaptertest.StartedManager(p.t, taskflow.WithBackend(sqlite.Open(p.setup.Store)))
	page, err := m.List(p.t.Context(), taskflow.Query{Limit: 1000})
	if err != nil {
		p.t.Fatal(err)
	}
	return page.Records
}

// gate lets children initialise until the test says so.
type gate struct {
	net.Listener
	waiting []net.Conn
}

func newGate(t *testing.T) *gate { return &gate{Listener: adaptertest.Listen(t, 0)} }

func (g *gate) await(t *testing.T) {
	t.Helper()
	for range preforkChildren {
		accepted := make(chan net.Conn, 1)
		go func() {
			if c, err := g.Accept(); err == nil { // fails at the end of the test
				accepted <- c
			}
		}()
		c := adaptertest.Receive(t, "a child that initialises", accepted)
		t.Cleanup(func() { _ = c.Close() })
		g.waiting = append(g.waiting, c)
	}
}

func (g *gate) open(t *testing.T) {
	t.Helper()
	for _, c := range g.waiting {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
