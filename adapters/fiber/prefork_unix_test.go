//go:build unix

package tasks_test

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
)

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
			wants := []string{fmt.Sprintf("host=%s port=%s", host, port), "pid=" + strconv.Itoa(p.cmd.Process.Pid) + " addr=" + p.setup.Addr,
				fmt.Sprintf("msg=stopped pid=%d children=%d", p.cmd.Process.Pid, len(pids))}
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
