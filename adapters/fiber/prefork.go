package tasks

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/gofiber/fiber/v2"

	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// ErrPrefork is the error of [Run] for an app with Prefork. Each of its processes would have a manager of its own, so that a dashboard shows
// what happens in one of them. [AllowPrefork] accepts that.
var ErrPrefork = errors.New("the app has Prefork: its processes would not see each other's tasks: switch it off, or see tasks.AllowPrefork")

// AllowPrefork lets Run serve an app that has Prefork, except on Windows. Run starts the child processes itself, one for each processor that Go
// may use. The manager runs in them and not in the first process, which passes SIGTERM and SIGINT on and waits for them, as long as the
// time-outs of their own Run let them. A second signal kills them all. When one ends by itself all stop; when the first one is gone they do, too.
// Run's error in the first process tells how children have failed.
//
// They should share a backend that several processes may open, like backends/sqlite. A dashboard shows the live tasks of the process that
// happens to answer, and the history of all.
//
// They listen on the one network that fiber.Config's Network names: tcp4, unless it is set to tcp6. [WithListener] is not possible, and
// Fiber's banner is not shown. The app's OnFork and OnListen hooks run in the first process, as they do with app.Listen.
func AllowPrefork() RunOption { return lifecycle.WithPrefork() }

// runPrefork is Run for an app with Prefork, in the parent and in its children.
func runPrefork(ctx context.Context, app *fiber.App, m *taskflow.Manager, addr string, opts []RunOption) error {
	cfg, err := lifecycle.Apply(opts)
	if err == nil {
		err = mayPrefork(runtime.GOOS, cfg, m)
	}
	switch {
	case err != nil:
		if cfg.Listener != nil {
			err = errors.Join(err, cfg.Listener.Close())
		}
	case fiber.IsChild():
		return runChild(ctx, app, m, addr, opts)
	default:
		err = runParent(ctx, app, m, addr)
	}
	if err != nil {
		return fmt.Errorf("tasks.Run: %w", err)
	}
	return nil
}

// mayPrefork says what is in the way of Prefork.
func mayPrefork(system string, cfg *lifecycle.Config, m *taskflow.Manager) error {
	switch {
	case !cfg.Prefork:
		return ErrPrefork
	case system == "windows":
		return errors.New("the app has Prefork, and on Windows there is no signal by which its processes could be told to stop: switch it off there")
	case cfg.Listener != nil:
		return errors.New("WithListener: an app with Prefork listens itself: give Run the address")
	case m == nil:
		return errors.New("the manager is nil: pass what taskflow.New returned")
	}
	return nil
}
