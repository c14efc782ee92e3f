package adaptertest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"testing"

	"github.com/taskflow-go/taskflow/adapters/internal/lifecycle"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// childRole makes the test binary the server that a test sends signals to: one that serves, or one that is stuck in its start.
const (
	childRole = "TASKFLOW_TEST_CHILD"
	serving   = "serving"
	stuck     = "stuck"
)

// Main is the TestMain of an adapter's tests: they start their own binary as the process that they send signals to.
func Main(m *testing.M, f Framework) {
	if os.Getenv(childRole) == "" {
		os.Exit(m.Run())
	}
	if err := child(f); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is the program: its task ends when somebody asks for /finish-after-stop, or never. It reports on stdout.
func child(f Framework) error {
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintf(os.Stdout, format+"\n", args...) // the test misses the line, and says so
	}
	opts := []taskflow.ManagerOption{taskflow.WithLogger(slog.New(slog.NewTextHandler(os.Stdout, nil)))}
	if os.Getenv(childRole) == stuck {
		opts = append(opts, taskflow.WithBackend(&slowBackend{opening: func() { say("opening") }, stuck: true}))
	}
	m, err := taskflow.New(opts...)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	app := f.New(nil, m, Setup{}) // there is no test in this process
	finish := make(chan struct{})
	app.Handle("/start", func(r Request) error {
		r.Add(task(func() { say("task started"); <-finish; say("task finished") }))
		return r.Text(200, "ok")
	})
	app.Handle("/finish-after-stop", func(r Request) error {
		say("handling")
		<-m.Draining()
		close(finish)
		return r.Text(200, "ok")
	})
	say("address http://%s", ln.Addr())
	if err := app.Run(context.Background(), m, "", lifecycle.WithListener(ln)); err != nil {
		return err
	}
	say("clean end")
	return nil
}
