//go:build unix

package tasks_test

import (
	"bufio"
	"encoding/json"
	"errors"
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

func TestPreforkDrainsAllProcesses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		network, at string
		toAll       bool // as Ctrl-C in a terminal
	}{
		"told by SIGTERM":         {"tcp4", "127.0.0.1:0", false},
		"on IPv6":                 {"tcp6", "[::1]:0", false},
		"all told, and by Ctrl-C": {"tcp4", "127.0.0.1:0", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if ln, err := net.Listen("tcp", tc.at); err != nil {
				t.Skipf("no such address on this machine: %v", err)
			} else if err := ln.Close(); err != nil {
				t.Fatal(err)
			}
			p := startPreforked(t, preforkSetup{Addr: freeAddr(t, tc.at), Network: tc.network})
			pids, answers := p.askAll()
			if tc.toAll {
				if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT); err != nil {
					t.Fatal(err)
				}
			} else {
				p.signal(syscall.SIGTERM)
			}
			if err := p.waitExit(); err != nil {
				t.Errorf("the first process: %v", err)
			}
			p.waitGone()
			done := 0
			for _, r := range p.history() {
				if r.Status == taskflow.StatusSuccess {
					done++
				}
			}
			if done != answers {
				t.Errorf("%d tasks are done in the history, want %d", done, answers)
			}
			host, port, _ := strings.Cut(p.setup.Addr, "]:")
			if host += "]"; port == "" {
				host, port, _ = strings.Cut(p.setup.Addr, ":")
			}
			wants := []string{fmt.Sprintf("host=%s port=%s", host, port), "pid=" + strconv.Itoa(p.cmd.Process.Pid) + " addr=" + p.setup.Addr}
			for pid := range pids {
				wants = append(wants, fmt.Sprintf(`msg="hook: forked" pid=%d child=%d`, p.cmd.Process.Pid, pid))
			}
			for _, want := range wants {
				if strings.Count(p.said.String(), want) != 1 {
					t.Errorf("not said once: %s", want)
				}
			}
			if t.Failed() {
				t.Log(p.said.String())
			}
		})
	}
}

// A supervisor may signal one process after another: the first one need not be the first.
func TestPreforkChildrenMayLearnOfTheStopFirst(t *testing.T) {
	t.Parallel()
	p := startPreforked(t, preforkSetup{})
	pids, _ := p.askAll()
	for pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	adaptertest.Eventually(t, "a child has ended", func() bool {
		for pid := range pids {
			if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
				return true
			}
		}
		return false
	})
	p.signal(syscall.SIGTERM)
	if err := p.waitExit(); err != nil {
		t.Errorf("the first process: %v", err)
	}
	p.waitGone()
	if t.Failed() {
		t.Log(p.said.String())
	}
}

func TestPreforkTellsHowChildrenHaveFailed(t *testing.T) {
	t.Parallel()
	p := startPreforked(t, preforkSetup{Status: 77})
	pids, _ := p.askAll()
	p.signal(syscall.SIGTERM)
	var exit *exec.ExitError
	if err := p.waitExit(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("the first process: %v, want exit status 1", err)
	}
	p.waitGone()
	for pid := range pids {
		if want := fmt.Sprintf("child process %d: exit status 77", pid); !strings.Contains(p.said.String(), want) {
			t.Errorf("not said: %s\n%s", want, p.said.String())
		}
	}
}

// What Run may take in a child is more than its time-outs: the manager's stop grace, and storing.
func TestPreforkLetsChildrenStoreTheirHistory(t *testing.T) {
	t.Parallel()
	p := startPreforked(t, preforkSetup{Endless: true, Server: 100 * time.Millisecond, Drain: time.Millisecond, Grace: 3 * time.Second})
	_, answers := p.askAll()
	p.signal(syscall.SIGTERM)
	if err := p.waitExit(); err == nil {
		t.Error("the first process says that all has ended well")
	}
	p.waitGone()
	recorded := 0
	for _, r := range p.history() {
		if r.Status == taskflow.StatusInterrupted && strings.Contains(r.Error, "did not return within 3s") {
			recorded++
		}
	}
	if recorded != answers {
		t.Errorf("%d tasks are recorded as interrupted, want %d\n%s", recorded, answers, p.said.String())
	}
}

func TestPreforkSecondSignalKillsAll(t *testing.T) {
	t.Parallel()
	p := startPreforked(t, preforkSetup{Endless: true, Drain: time.Hour})
	p.askAll()
	p.signal(syscall.SIGTERM)
	for range 1 + preforkChildren {
		p.waitLine("shutting down")
	}
	p.signal(syscall.SIGINT)
	var exit *exec.ExitError
	if err := p.waitExit(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
		t.Errorf("the first process: %v, want it killed by SIGINT", err)
	}
	p.waitGone()
	freeAddr(t, p.setup.Addr)
}

func TestPreforkOrphansStopAndASignalKillsThem(t *testing.T) {
	t.Parallel()
	p := startPreforked(t, preforkSetup{Endless: true, Drain: time.Hour})
	pids, _ := p.askAll()
	p.signal(syscall.SIGKILL)
	if err := p.waitExit(); err == nil {
		t.Error("the first process has survived SIGKILL")
	}
	for range preforkChildren {
		if line := p.waitLine("shutting down"); !strings.Contains(line, "the parent process has ended") {
			t.Errorf("a child stops for another reason: %s", line)
		}
	}
	gone := false
	adaptertest.Eventually(t, "a signal kills the children", func() bool {
		// Repeated, because a child gives the signal back to the system right after it has logged the stop.
		for pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Fatal(err)
			}
		}
		select {
		case _, open := <-p.lines:
			gone = !open
		default:
		}
		return gone
	})
	freeAddr(t, p.setup.Addr)
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

func TestPreforkChildrenDoNotServeAfterTheirParent(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	p := startPreforked(t, preforkSetup{Gate: g.Addr().String()})
	g.await(t)
	p.signal(syscall.SIGKILL)
	if err := p.waitExit(); err == nil {
		t.Error("the first process has survived SIGKILL")
	}
	g.open(t)
	p.waitGone()
	if n := strings.Count(p.said.String(), "the parent process has ended"); n != preforkChildren {
		t.Errorf("%d children say that the parent has ended, want %d\n%s", n, preforkChildren, p.said.String())
	}
	freeAddr(t, p.setup.Addr)
}

func TestPreforkStopWhileChildrenInitialise(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	p := startPreforked(t, preforkSetup{Gate: g.Addr().String()})
	g.await(t)
	p.waitLine("serving")
	p.signal(syscall.SIGTERM)
	if err := p.waitExit(); err != nil {
		t.Errorf("the first process: %v\n%s", err, p.said.String())
	}
	p.waitGone()
}

func TestPreforkEndsWhenAChildDies(t *testing.T) {
	t.Parallel()
	p := startPreforked(t, preforkSetup{})
	pids, _ := p.askAll()
	for pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if err := p.waitExit(); err == nil {
			t.Error("the first process says that all has ended well")
		}
		p.waitGone()
		if want := fmt.Sprintf("child process %d has ended by itself (signal: killed)", pid); !strings.Contains(p.said.String(), "tasks.Run: "+want) {
			t.Errorf("not said: %s\n%s", want, p.said.String())
		}
		break
	}
	done := 0
	for _, r := range p.history() {
		if r.Status == taskflow.StatusSuccess {
			done++
		}
	}
	if done == 0 {
		t.Error("the other child has not stored its tasks")
	}
}

func TestPreforkRefusesAnAddressBeforeItStartsChildren(t *testing.T) {
	t.Parallel()
	taken := adaptertest.Listen(t, 0).Addr().String()
	for name, tc := range map[string]struct{ addr, network, want string }{
		"taken":          {taken, "", "address " + taken + " is taken by another listener"},
		"no port":        {"127.0.0.1:0", "", "address 127.0.0.1:0 has no port"},
		"not an address": {"localhost", "", `listen on "localhost"`},
		"IPv6 on tcp4":   {"[::1]:1", "", "address [::1]:1 is none of tcp4"},
		"IPv4 on tcp6":   {"127.0.0.1:1", "tcp6", "address 127.0.0.1:1 is none of tcp6"},
		"two networks":   {":1", "tcp", `fiber.Config's Network is "tcp"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startPreforked(t, preforkSetup{Addr: tc.addr, Network: tc.network})
			if err := p.waitExit(); err == nil {
				t.Error("exit status 0")
			}
			p.waitGone()
			if said := p.said.String(); !strings.HasPrefix(said, "tasks.Run: "+tc.want) || strings.Count(said, "\n") != 1 {
				t.Errorf("said %q, want only %q", said, tc.want)
			}
		})
	}
}

func TestPreforkHookThatFailsEndsTheService(t *testing.T) {
	t.Parallel()
	p := startPreforked(t, preforkSetup{FailingHook: true})
	if err := p.waitExit(); err == nil {
		t.Error("exit status 0")
	}
	p.waitGone()
	if want := "tasks.Run: a hook of OnListen has failed: no listening today\n"; !strings.Contains(p.said.String(), want) {
		t.Errorf("not said: %s\n%s", want, p.said.String())
	}
}
