package tasks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp/reuseport"

	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
)

const (
	envChild  = "FIBER_PREFORK_CHILD"     // what fiber.IsChild looks at
	envParent = "TASKFLOW_PREFORK_PARENT" // the id of the process that has started this one

	pollParent = 500 * time.Millisecond // how often a child looks whether its parent lives, as Fiber does
)

// errOrphaned is why a child stops when nobody is left to tell it to.
var errOrphaned = errors.New("the parent process has ended")

// runChild serves in a child process. It does what Fiber's Listen does there, but for the end: Fiber would exit at once when the parent has
// gone, and it would take a parent that is process 1, as in a container, for one that has.
func runChild(ctx context.Context, app *fiber.App, m *taskflow.Manager, addr string, opts []RunOption) error {
	// Ctrl-C reaches a child twice: from the terminal, and by the parent. The second must not kill, as it does otherwise: that is
	// the parent's business, as long as there is one.
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(again)

	runtime.GOMAXPROCS(1)
	parent, err := parentID()
	if err != nil {
		return fmt.Errorf("tasks.Run: %w", err)
	}
	ln, err := reuseport.Listen(app.Config().Network, addr)
	if err != nil {
		return fmt.Errorf("tasks.Run: listen on %q: %w", addr, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel(nil)
	watching.Go(func() {
		if waitForEndOf(ctx, parent) {
			signal.Stop(again) // nobody else is left to kill it: the next signal does
			cancel(errOrphaned)
		}
	})
	return lifecycle.Run(ctx, m, addr, append(slices.Clip(opts), lifecycle.WithListener(ln)),
		func(*lifecycle.Config) (lifecycle.Server, error) {
			app.Handler()                                            // builds the routes
			return &server{app: app, serve: app.Server().Serve}, nil // app.Listener would warn of Prefork
		})
}

// parentID returns the id of the parent process, which must live: it may have ended before this process came here, and then somebody else is
// the parent already.
func parentID() (int, error) {
	now := os.Getppid()
	text, ok := os.LookupEnv(envParent)
	if !ok {
		return now, nil // started by Fiber, or by hand
	}
	parent, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("environment variable %s: a process id is expected: %w", envParent, err)
	}
	if parent != now {
		return 0, fmt.Errorf("this process was to serve as a child (%s is set): %w", envChild, errOrphaned)
	}
	return parent, nil
}

// waitForEndOf reports true when the parent has ended, and false when ctx has.
func waitForEndOf(ctx context.Context, parent int) bool {
	tick := time.NewTicker(pollParent)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
			if os.Getppid() != parent {
				return true
			}
		}
	}
}
