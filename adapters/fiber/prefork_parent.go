package tasks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
)

const (
	// sameSignal is how much later than a child the parent may learn of a signal that was sent to both, as Ctrl-C is.
	sameSignal = time.Second
	// deathTime is what the system gets to end this process by a signal.
	deathTime = time.Second
)

// runParent starts the children and stays until all have ended. Fiber's Listen would keep their exit status to itself, and kill
// all as soon as one has ended, also when they were told to end and the others still have tasks.
func runParent(ctx context.Context, app *fiber.App, m *taskflow.Manager, addr string) error {
	if ctx.Err() != nil {
		m.Logger().Info("not started", "cause", context.Cause(ctx))
		return nil
	}
	if err := mayListen(ctx, app.Config().Network, addr); err != nil {
		return err
	}
	p := &parent{
		log:      m.Logger(),
		signals:  make(chan os.Signal, 2), // the one that stops and the one that kills
		ended:    make(chan childEnd),
		children: map[int]*os.Process{},
	}
	signal.Notify(p.signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(p.signals)
	if err := p.start(ctx, app, addr); err != nil {
		p.errs = append(p.errs, err)
		p.stop(err)
	} else {
		p.log.Info("serving", "addr", addr, "children", slices.Sorted(maps.Keys(p.children)))
	}
	return p.wait(ctx)
}

// mayListen tries the address before any child does, whose error would be one of many. A listener that shares its address does not
// suffice: another service would get a part of the requests.
func mayListen(ctx context.Context, network, addr string) error {
	if network != fiber.NetworkTCP4 && network != fiber.NetworkTCP6 {
		return fmt.Errorf("fiber.Config's Network is %q: with Prefork it can be tcp4 or tcp6", network)
	}
	if host, _, err := net.SplitHostPort(addr); err == nil {
		if ip, err := netip.ParseAddr(host); err == nil && ip.Unmap().Is4() != (network == fiber.NetworkTCP4) {
			return fmt.Errorf("address %s is none of %s, the one network on which an app with Prefork listens: set fiber.Config's Network to tcp4 or tcp6", addr, network)
		}
	}
	ln, err := lifecycle.Listen(ctx, network, addr)
	if err != nil {
		return err
	}
	if err := ln.Close(); err != nil {
		return fmt.Errorf("try address %s: %w", addr, err)
	}
	if at, err := net.ResolveTCPAddr(network, addr); err == nil && at.Port == 0 {
		return fmt.Errorf("address %s has no port: each process would listen on another one", addr)
	}
	return nil
}

// parent is what the first process of an app with Prefork knows of its children.
type parent struct {
	log      *slog.Logger
	signals  chan os.Signal
	ended    chan childEnd
	children map[int]*os.Process // those that have not ended, by their ids
	stopping bool
	errs     []error
}

// childEnd tells how a child has ended.
type childEnd struct {
	pid int
	err error // nil: with status 0
}

// start starts the children and calls the app's hooks, as Fiber would. After an error some children may run.
func (p *parent) start(ctx context.Context, app *fiber.App, addr string) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program to start as a child process: %w", err)
	}
	hooks, err := hooksOf(app)
	if err != nil {
		return err
	}
	for range runtime.GOMAXPROCS(0) {
		// Not with ctx, whose end must not kill: wait tells the child to stop then.
		cmd := exec.CommandContext(context.WithoutCancel(ctx), program) //nolint:gosec // it is this program
		cmd.Args = os.Args
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.Env = append(os.Environ(), envChild+"=1", envParent+"="+strconv.Itoa(os.Getpid()))
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("start a child process: %w", err)
		}
		pid := cmd.Process.Pid
		p.children[pid] = cmd.Process
		go func() { p.ended <- childEnd{pid, cmd.Wait()} }() // wait and die take one answer of each
		if err := hooks.forked(pid); err != nil {
			p.log.Error("a hook of OnFork has failed", "error", err)
		}
	}
	return hooks.listening(addr, app.Config().Network)
}

// wait returns when all children have ended. The end of ctx, a signal, and the end of a child tell the others to stop. There is no time-out:
// what Run may take in a child has its own limits, of which this process does not know all, and to be killed would cost the child
// what it still has to store. A second signal kills.
func (p *parent) wait(ctx context.Context) error {
	over, all := ctx.Done(), len(p.children)
	for len(p.children) > 0 {
		select {
		case <-over:
			over = nil
			p.stop(context.Cause(ctx))
		case s := <-p.signals:
			if p.stopping {
				return p.die(s)
			}
			p.stop(received(s))
		case e := <-p.ended:
			p.childEnded(ctx, e)
		}
	}
	if len(p.errs) == 0 { // otherwise whoever gets the errors says it
		p.log.Info("stopped", "children", all)
	}
	return errors.Join(p.errs...)
}

// received is the cause of a stop by a signal, in the words of signal.NotifyContext.
func received(s os.Signal) error { return fmt.Errorf("%v signal received", s) }

// stop tells all children to end. Later calls do nothing.
func (p *parent) stop(cause error) {
	if p.stopping {
		return
	}
	p.stopping = true
	p.log.Info("shutting down", "cause", cause)
	p.signal(syscall.SIGTERM)
}

func (p *parent) signal(s os.Signal) {
	for pid, child := range p.children {
		if err := child.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
			p.log.Error("a child process cannot be reached", "child", pid, "signal", s, "error", err)
		}
	}
}

func (p *parent) childEnded(ctx context.Context, e childEnd) {
	delete(p.children, e.pid)
	asTold := endsAsTold(e.err)
	if asTold && !p.stopping {
		select {
		case <-ctx.Done():
			p.stop(context.Cause(ctx))
		case s := <-p.signals:
			p.stop(received(s))
		case <-time.After(sameSignal):
		}
	}
	switch {
	case !p.stopping:
		how := "exit status 0"
		if e.err != nil {
			how = e.err.Error()
		}
		err := fmt.Errorf("child process %d has ended by itself (%s): its own output says why", e.pid, how)
		p.errs = append(p.errs, err)
		p.stop(err)
	case !asTold:
		p.errs = append(p.errs, fmt.Errorf("child process %d: %w: its own output says why", e.pid, e.err))
	}
}

// endsAsTold reports whether a child that was told to stop may end like that. A signal kills it before its Run and after it, when it has
// no tasks, and not during it.
func endsAsTold(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err == nil
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && (status.Signal() == syscall.SIGTERM || status.Signal() == syscall.SIGINT)
}

// die ends the children and this process by the second signal, as it ends a process without children.
func (p *parent) die(s os.Signal) error {
	p.log.Warn("killed by a second signal", "signal", s, "children", slices.Sorted(maps.Keys(p.children)))
	p.signal(os.Kill)
	for len(p.children) > 0 {
		delete(p.children, (<-p.ended).pid)
	}
	signal.Reset(s)
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(s)
	}
	if err == nil {
		<-time.After(deathTime) // survived by a process that was started with the signal ignored
	}
	return errors.Join(errors.New("killed by a second signal: the child processes have lost what they had not stored"), err)
}
