package tasks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp/reuseport"

	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// ErrPrefork is the error of [Run] for an app with Prefork. Each of its processes would have a manager of its own, so that a dashboard shows
// what happens in one of them. [AllowPrefork] accepts that.
var ErrPrefork = errors.New("the app has Prefork: its processes would not see each other's tasks: switch it off, or see tasks.AllowPrefork")

// AllowPrefork lets Run serve an app that has Prefork. The manager runs in the processes that Fiber starts, and not in the first one, which
// passes SIGTERM on and waits for them. They should share a backend that several processes may open, like backends/sqlite. A
// dashboard shows the live tasks of the process that happens to answer, and the history of all.
//
// Fiber's banner is not shown then, and [WithListener] is not possible.
func AllowPrefork() RunOption { return lifecycle.WithPrefork() }

const (
	pollChildren = 20 * time.Millisecond  // how often the parent looks whether its children live
	pollParent   = 500 * time.Millisecond // how often a child looks whether its parent lives, as Fiber does
	killSlack    = 2 * time.Second        // for a child to end after its own time-outs
)

// errOrphaned is why a child stops when nobody is left to tell it to.
var errOrphaned = errors.New("the parent process has ended")

// runPrefork is Run for an app with Prefork, in the parent and in its children.
func runPrefork(ctx context.Context, app *fiber.App, m *taskflow.Manager, addr string, opts []RunOption) error {
	cfg, err := lifecycle.Apply(opts)
	switch {
	case err != nil:
	case !cfg.Prefork:
		err = ErrPrefork
	case cfg.Listener != nil:
		err = errors.New("WithListener: an app with Prefork listens itself: give Run the address")
	case m == nil:
		err = errors.New("the manager is nil: pass what taskflow.New returned")
	}
	if err != nil {
		if cfg.Listener != nil {
			err = errors.Join(err, cfg.Listener.Close())
		}
		return fmt.Errorf("tasks.Run: %w", err)
	}
	if fiber.IsChild() {
		return runChild(ctx, app, m, addr, opts)
	}
	if err := runParent(ctx, app, m, addr, cfg); err != nil {
		return fmt.Errorf("tasks.Run: %w", err)
	}
	return nil
}

// runChild serves in a child process. It does what Fiber's Listen does there, but for the end: Fiber would exit at once when the parent has
// gone, and it would take a parent that is process 1, as in a container, for one that has.
func runChild(ctx context.Context, app *fiber.App, m *taskflow.Manager, addr string, opts []RunOption) error {
	runtime.GOMAXPROCS(1)
	ln, err := reuseport.Listen(app.Config().Network, addr)
	if err != nil {
		return fmt.Errorf("tasks.Run: listen on %q: %w", addr, err)
	}
	// Ctrl-C reaches a child twice: from the terminal, and by the parent. The second must not kill, as it does otherwise; the
	// parent does that when it takes too long.
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(again)

	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel(nil)
	watching.Go(func() { watchParent(ctx, cancel) })
	return lifecycle.Run(ctx, m, addr, append(slices.Clip(opts), lifecycle.WithListener(ln)),
		func(*lifecycle.Config) (lifecycle.Server, error) {
			app.Handler()                                            // builds the routes
			return &server{app: app, serve: app.Server().Serve}, nil // app.Listener would warn of Prefork
		})
}

// watchParent ends ctx when the parent process has ended.
func watchParent(ctx context.Context, cancel context.CancelCauseFunc) {
	parent := os.Getppid()
	tick := time.NewTicker(pollParent)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if os.Getppid() != parent {
				cancel(errOrphaned)
				return
			}
		}
	}
}

// runParent lets Fiber start the children, and stays until they have ended.
func runParent(ctx context.Context, app *fiber.App, m *taskflow.Manager, addr string, cfg *lifecycle.Config) error {
	if ctx.Err() != nil {
		m.Logger().Info("not started", "cause", context.Cause(ctx))
		return nil
	}
	ctx, unsignal := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer unsignal()

	var kids children
	var result error
	ready := false
	app.Hooks().OnFork(kids.add)
	// Fiber's Listen kills all children as soon as one has ended, also when they were told to and the others still have tasks. So it is
	// kept here, in the hook that it calls when all are started, until none is left.
	app.Hooks().OnListen(func(fiber.ListenData) error {
		ready = true
		m.Logger().Info("serving", "addr", addr, "children", kids.pids())
		result = kids.wait(ctx, unsignal, m, cfg.ServerTimeout+cfg.DrainTimeout+killSlack)
		return errChildrenEnded
	})
	err := listen(app, addr)
	if !ready {
		return err
	}
	return result
}

// errChildrenEnded makes Fiber's Listen end without its banner.
var errChildrenEnded = errors.New("the child processes have ended")

// listen is app.Listen, which panics with the error of a hook.
func listen(app *fiber.App, addr string) (err error) {
	defer func() {
		switch p := recover(); {
		case p == nil:
		case p == any(errChildrenEnded):
			err = nil
		default:
			panic(p)
		}
	}()
	return app.Listen(addr)
}

// children are the processes that Fiber has started. Fiber takes their exit status.
type children struct {
	mu    sync.Mutex
	procs []*os.Process
}

func (k *children) add(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return fmt.Errorf("find the child process %d: %w", pid, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.procs = append(k.procs, p)
	return nil
}

func (k *children) pids() []int {
	k.mu.Lock()
	defer k.mu.Unlock()
	var pids []int
	for _, p := range k.procs {
		pids = append(pids, p.Pid)
	}
	return pids
}

// signal sends s to all that still live, and returns how many those are.
func (k *children) signal(s os.Signal) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	alive := 0
	for _, p := range k.procs {
		if p.Signal(s) == nil {
			alive++
		}
	}
	return alive
}

// wait waits for the end of ctx, or of one child, then tells all to stop, and returns when they have. After timeout it kills them.
func (k *children) wait(ctx context.Context, unsignal func(), m *taskflow.Manager, timeout time.Duration) error {
	all := len(k.pids())
	var failure error
	tick := time.NewTicker(pollChildren)
	defer tick.Stop()
	for running := true; running; {
		select {
		case <-ctx.Done():
			m.Logger().Info("shutting down", "cause", context.Cause(ctx))
			running = false
		case <-tick.C:
			if k.signal(syscall.Signal(0)) < all && ctx.Err() == nil {
				failure = errors.New("a child process has ended by itself: its own output says why")
				m.Logger().Info("shutting down", "cause", failure)
				running = false
			}
		}
	}
	unsignal() // the second signal kills this process; the children notice, and finish
	k.signal(syscall.SIGTERM)
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for k.signal(syscall.Signal(0)) > 0 {
		select {
		case <-tick.C:
		case <-deadline.C:
			killed := k.signal(os.Kill)
			return errors.Join(failure, fmt.Errorf("%d child processes had not ended after %v and were killed", killed, timeout))
		}
	}
	return failure
}
