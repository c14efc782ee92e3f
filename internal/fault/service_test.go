package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"time"

	tasks "github.com/taskflow-go/taskflow/adapters/nethttp"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// order is what a client asks for.
type order struct {
	Number string `json:"number"` // the client's, unique
}

// settings are how a test describes a service to its process.
type settings struct {
	Backend    string        `json:"backend"` // URL
	Address    string        `json:"address"`
	Ledger     string        `json:"ledger"`     // file of what the functions did
	Longest    time.Duration `json:"longest"`    // of a task
	Idempotent bool          `json:"idempotent"` // the task may run again
	Lease      time.Duration `json:"lease"`
}

// keyHeader has the idempotency key of an order, which is its number.
const keyHeader = "Idempotency-Key"

const settingsEnv = "TASKFLOW_FAULT_SETTINGS"

// serve is the service: POST /orders submits a task, answers 202 with its id, and the task writes two lines into the ledger.
func serve() int {
	if err := run(); err != nil {
		slog.Error("the service ended", "error", err)
		return 1
	}
	return 0
}

func run() error {
	var s settings
	if err := json.Unmarshal([]byte(os.Getenv(settingsEnv)), &s); err != nil {
		return err
	}
	ledger, err := os.OpenFile(s.Ledger, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = ledger.Close() }() // every line was checked when it was written
	backend, err := open(s.Backend)
	if err != nil {
		return err
	}
	opts := []taskflow.TaskOption{}
	if s.Idempotent {
		opts = append(opts, taskflow.Idempotent())
	}
	fulfil := taskflow.Define("fulfil", func(ctx context.Context, o order) error {
		return work(ctx, ledger, o, s.Longest)
	}, opts...)
	m, err := taskflow.New(taskflow.WithTasks(fulfil), taskflow.WithBackend(backend), taskflow.WithLease(s.Lease), taskflow.WithWindow(100))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		var o order
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&o); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		task, err := tasks.Submit(r, fulfil.With(o), taskflow.IdempotencyKey(r.Header.Get(keyHeader)))
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = fmt.Fprint(w, task.ID()) // a client that is gone will not count it
	})
	tasks.Mount(mux, m, "/tasks", dashboard.Public())
	return tasks.Run(context.Background(), tasks.Middleware(m)(mux), m, s.Address)
}

// work is the task. A line is one write to a file opened for appending, so that lines of several processes do not mix.
func work(ctx context.Context, ledger *os.File, o order, longest time.Duration) error {
	info, _ := taskflow.FromContext(ctx)
	if _, err := fmt.Fprintf(ledger, "start %s %s %d\n", o.Number, info.ID, os.Getpid()); err != nil {
		return err
	}
	pause := time.NewTimer(time.Duration(rand.Int64N(int64(longest))))
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	_, err := fmt.Fprintf(ledger, "end %s %s %d\n", o.Number, info.ID, os.Getpid())
	return err
}
