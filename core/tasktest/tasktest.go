// Package tasktest helps to test code that adds tasks: a manager that lives as long as the test, a request's context
// without a web framework, and short words to wait for tasks and to look at what was added.
//
//	func TestSignupSendsAnEmail(t *testing.T) {
//		m := tasktest.Start(t, taskflow.WithTasks(jobs.SendEmail))
//		ctx, respond := tasktest.Request(t, m)
//		signUp(ctx, "ada@example.org") // calls taskflow.Add(ctx, jobs.SendEmail.With(…))
//		respond()
//		if got := tasktest.Added(t, m, jobs.SendEmail); !slices.Equal(got, []string{"ada@example.org"}) {
//			t.Errorf("e-mails to %v", got)
//		}
//	}
//
// Everything works in a testing/synctest bubble, where a retry an hour later takes no time. It is not for testing a
// backend: see backendtest.
package tasktest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// patience is how long a test waits for a task. In a synctest bubble that is fake time.
const patience = 30 * time.Second

// Start returns a running manager that is stopped when the test ends; its messages go to the test's output. An error of New or
// Start fails the test at once. What still runs when the test ends is cancelled.
func Start(t testing.TB, opts ...taskflow.ManagerOption) *taskflow.Manager {
	t.Helper()
	logger := taskflow.WithLogger(slog.New(slog.NewTextHandler(t.Output(), nil)))
	m, err := taskflow.New(append([]taskflow.ManagerOption{logger}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		if err := m.Stop(over); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("tasktest: stop: %v", err)
		}
	})
	return m
}

// Request returns the context of a request to which code can add tasks by taskflow.Add and taskflow.Submit, and what stands for its
// response being sent: respond starts the tasks and waits until all that this manager has are done, those that
// tasks added included. A delayed task is waited for too, which is only wise in a synctest bubble.
func Request(t testing.TB, m *taskflow.Manager) (ctx context.Context, respond func()) {
	t.Helper()
	b := m.NewBatch()
	return taskflow.ContextWithBatch(t.Context(), b), func() {
		t.Helper()
		b.Release()
		WaitAll(t, m)
	}
}

// Wait waits for a task to be done and returns its record. A task that takes longer than 30 s fails the test.
func Wait(t testing.TB, h taskflow.Handle) taskflow.Record {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-h.Done():
	case <-timer.C:
		r := h.Record()
		t.Fatalf("tasktest: task %q (%s) is still %s after %v", r.Name, r.ID, r.Status, patience)
	}
	return h.Record()
}

// WaitAll waits until no task is pending or running. Tasks that take longer than 30 s fail the test.
func WaitAll(t testing.TB, m *taskflow.Manager) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	changes := m.Subscribe()
	defer changes.Close()
	live := taskflow.Query{Filter: taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusPending, taskflow.StatusRunning}}, Limit: 1}
	for {
		page, err := m.List(ctx, live)
		if err != nil {
			t.Fatalf("tasktest: %v", err)
		}
		if len(page.Records) == 0 {
			return
		}
		if _, _, err := changes.Next(ctx, nil); err != nil {
			r := page.Records[0]
			t.Fatalf("tasktest: task %q (%s) is still %s: %v", r.Name, r.ID, r.Status, err)
		}
	}
}

// Added returns the arguments of the calls of task that m knows, in the order in which they were added, whatever became of them.
func Added[A any](t testing.TB, m *taskflow.Manager, task taskflow.Task[A]) []A {
	t.Helper()
	var all []A
	q := taskflow.Query{Filter: taskflow.Filter{Name: task.Name()}, Limit: taskflow.MaxLimit, Full: true}
	for {
		page, err := m.List(t.Context(), q)
		if err != nil {
			t.Fatalf("tasktest: %v", err)
		}
		for _, r := range page.Records {
			all = append(all, decode[A](t, r.Args))
		}
		if page.Next == "" {
			slices.Reverse(all)
			return all
		}
		q.Before = page.Next
	}
}

// RoundTrip returns sample as the task's function gets it: encoded and decoded. Fields that are lost on the way (not exported,
// for example) show in the comparison with sample. Arguments that cannot be encoded fail the test.
func RoundTrip[A any](t testing.TB, task taskflow.Task[A], sample A) A {
	t.Helper()
	args := task.With(sample).Args()
	if args == nil {
		t.Fatalf("tasktest: the arguments of %q cannot be stored: %+v", task.Name(), sample)
	}
	return decode[A](t, args)
}

func decode[A any](t testing.TB, args []byte) (a A) {
	t.Helper()
	if err := json.Unmarshal(args, &a); err != nil {
		t.Fatalf("tasktest: decode %s: %v", args, err)
	}
	return a
}
