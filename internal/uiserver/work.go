package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// script is what every task gets: what it does when it runs, and the gate at which it then waits for commands.
type script struct {
	Gate   string          `json:"gate,omitempty"`
	Lines  []string        `json:"lines,omitempty"` // to log
	Bulk   int             `json:"bulk,omitempty"`  // further lines to log, of 200 bytes each
	Result json.RawMessage `json:"result,omitempty"`
	Fail   string          `json:"fail,omitempty"`
	Panic  string          `json:"panic,omitempty"`
	Child  string          `json:"child,omitempty"` // adds a task of that name
	Note   string          `json:"note,omitempty"`  // nothing: something to see among the arguments
}

// command is what a test tells the task that waits at a gate.
type command struct {
	Lines    []string         `json:"lines"`
	Level    slog.Level       `json:"level"`
	Progress *progressCommand `json:"progress"`
	Fail     string           `json:"fail"` // ends it
	End      bool             `json:"end"`
}

type progressCommand struct {
	Done    int64  `json:"done"`
	Total   int64  `json:"total"`
	Unit    string `json:"unit"`
	Message string `json:"message"`
}

// order is a command on its way to a task.
type order struct {
	command

	done chan struct{} // closed when the task has done it
}

// work has the tasks and the gates at which they wait.
type work struct {
	mu    sync.Mutex
	gates map[string]chan order
	tasks map[string]taskflow.Task[script]
	order []taskflow.Definition // as they are registered
}

// hostileNames are names that a page which makes markup of them would run.
var hostileNames = []string{
	`<script>pwned()</script>`, `<img src=x onerror=pwned()>`, `"><svg onload=pwned()>`, `javascript:pwned()`, `'"` + "`" + `\{{constructor.constructor("pwned()")()}}`,
	`שלום עולם`, `عربى/../..%2f?a=b&c#d`, `👩🚀 𝒯𝒶𝓈𝓀`, strings.Repeat("w", taskflow.MaxNameBytes),
}

// usualNames are those of a shop that its tasks' past is of, too.
var usualNames = []string{"send_email", "resize_image", "charge_card", "sync_inventory", "import_orders", "nightly_report", "publish_feed"}

func newWork(hostile bool) *work {
	w := &work{gates: map[string]chan order{}, tasks: map[string]taskflow.Task[script]{}}
	for _, name := range usualNames {
		var opts []taskflow.TaskOption
		switch name {
		case "charge_card":
			opts = append(opts, taskflow.Retry(2, taskflow.Constant(50*time.Millisecond)), taskflow.Timeout(time.Hour))
		case "nightly_report":
			opts = append(opts, taskflow.Pool("one"), taskflow.Priority(-5))
		case "import_orders":
			opts = append(opts, taskflow.Requeue(), taskflow.Tag("source", "upload"))
		}
		w.define(name, opts...)
	}
	for _, name := range hostileNames {
		if hostile {
			w.define(name)
		}
	}
	return w
}

func (w *work) define(name string, opts ...taskflow.TaskOption) {
	t := taskflow.Define(name, w.run, opts...)
	w.tasks[name] = t
	w.order = append(w.order, t)
}

// gate is where tasks of that gate wait and where their commands are left.
func (w *work) gate(name string) chan order {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gates[name] == nil {
		w.gates[name] = make(chan order)
	}
	return w.gates[name]
}

// tell gives a command to a task that waits at the gate, and returns when it has done it.
func (w *work) tell(ctx context.Context, gate string, c command) error {
	o := order{command: c, done: make(chan struct{})}
	select {
	case w.gate(gate) <- o:
	case <-ctx.Done():
		return fmt.Errorf("no task waits at gate %q: %w", gate, ctx.Err())
	}
	select {
	case <-o.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *work) run(ctx context.Context, s script) error {
	log := taskflow.Logger(ctx)
	for _, line := range s.Lines {
		log.InfoContext(ctx, line) //nolint:sloglint // a test says what the task logs
	}
	for i := range s.Bulk {
		log.InfoContext(ctx, "a long line", "number", i, "rest", strings.Repeat("x", 200))
	}
	if len(s.Result) > 0 {
		if err := taskflow.SetResult(ctx, s.Result); err != nil {
			return err
		}
	}
	if s.Child != "" {
		taskflow.Add(ctx, w.tasks[s.Child].With(script{}))
	}
	if s.Gate != "" {
		if err := w.wait(ctx, log, s.Gate); err != nil {
			return err
		}
	}
	switch {
	case s.Panic != "":
		panic(s.Panic)
	case s.Fail != "":
		return errors.New(s.Fail)
	}
	return nil
}

// wait does what tests tell, until one tells it to end.
func (w *work) wait(ctx context.Context, log *slog.Logger, gate string) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case o := <-w.gate(gate):
			for _, line := range o.Lines {
				log.Log(ctx, o.Level, line) //nolint:sloglint // a test says what the task logs
			}
			if p := o.Progress; p != nil {
				taskflow.Progress(ctx, p.Done, p.Total, taskflow.ProgressUnit(p.Unit), taskflow.ProgressMessage(p.Message))
			}
			close(o.done)
			if o.Fail != "" {
				return errors.New(o.Fail)
			}
			if o.End {
				return nil
			}
		}
	}
}
