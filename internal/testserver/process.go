package testserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"time"
)

// process is a started server program, with the processes that it has started itself.
type process struct {
	cmd  *exec.Cmd
	out  tail
	done chan struct{} // closed when the program, and everything that it has started, has ended
}

// startProcess starts cmd. Its output goes through a pipe that all of its processes inherit; Wait returns when the last one has
// let go of it, so that a dead server has no living backend processes.
func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	started := make(chan error, 1)
	go func() {
		// The kernel's "parent" of a process is a thread: this one must live as long as the process, which would be killed with it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in cmd.ProcessState
		}
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// kill kills the program and its processes and waits for their end. The program is stopped first: it starts no new ones.
func (p *process) kill() error {
	return errors.Join(p.signalAll(sigStop, sigKill), p.wait())
}

// stop sends a signal that asks the program to end, and waits. One that does not is killed, and that is an error.
func (p *process) stop(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := p.wait(); err != nil {
		return errors.Join(err, p.kill())
	}
	return nil
}

func (p *process) pause() error { return p.signalAll(sigStop, sigStop) }

func (p *process) resume() error { return p.signalAll(sigStop, sigCont) }

// signalAll sends first to the program, and then second to it and to its children.
func (p *process) signalAll(first, second os.Signal) error {
	pid := p.cmd.Process.Pid
	if err := p.cmd.Process.Signal(first); err != nil {
		if errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		return err
	}
	pids, err := children(pid)
	if err != nil {
		return err
	}
	var errs []error
	for _, pid := range pids {
		child, err := os.FindProcess(pid)
		if err == nil {
			err = child.Signal(second)
		}
		if err != nil && !errors.Is(err, os.ErrProcessDone) {
			errs = append(errs, fmt.Errorf("process %d: %w", pid, err))
		}
	}
	if err := p.cmd.Process.Signal(second); err != nil && !errors.Is(err, os.ErrProcessDone) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (p *process) wait() error {
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		return fmt.Errorf("process %d has not ended within %v; it said:\n%s", p.cmd.Process.Pid, stopTimeout, p.output())
	}
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// state says how the process ended; it may be called after done is closed.
func (p *process) state() string { return p.cmd.ProcessState.String() }

func (p *process) output() string { return p.out.String() }

// tail keeps the last part of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 16 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if len(t.text) > tailSize {
		t.text = slices.Clone(t.text[len(t.text)-tailSize:])
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
