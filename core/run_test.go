package taskflow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

type named func(ctx context.Context) error

type service struct{ calls *[]string }

func (s service) Mail(context.Context) error { *s.calls = append(*s.calls, "method"); return nil }

func declared() {}

func TestEveryShapeOfFunctionRuns(t *testing.T) {
	t.Parallel()
	m := started(t, taskflow.WithConcurrency(1))
	var calls []string
	note := func(s string) { calls = append(calls, s) }
	for _, h := range []taskflow.Handle{
		add(m, func(context.Context) error { note("ctx error"); return nil }),
		add(m, func(context.Context) { note("ctx") }),
		add(m, func() error { note("error"); return nil }),
		add(m, func() { note("nothing") }),
		add(m, named(func(context.Context) error { note("named"); return nil })),
		add(m, service{&calls}.Mail),
		add(m, taskflow.Define("typed", func(_ context.Context, s string) error { note(s); return nil }).With("typed")),
	} {
		if err := h.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"ctx error", "ctx", "error", "nothing", "named", "method", "typed"}; !slices.Equal(calls, want) {
		t.Errorf("ran %q, want %q", calls, want)
	}
}

func TestNamesOfFunctions(t *testing.T) {
	t.Parallel()
	m := started(t)
	_, file, line, _ := runtime.Caller(0)
	closure := add(m, func() {})
	method := add(m, service{new([]string)}.Mail)
	plain := add(m, declared)
	given := add(m, func() {}, taskflow.Name("send audit </script>"))
	for h, want := range map[taskflow.Handle]string{
		closure: fmt.Sprintf("core/run_test.go:%d", line+1), method: "core_test.service.Mail", plain: "core_test.declared", given: "send audit </script>",
	} {
		<-h.Done()
		if got := h.Record().Name; got != want {
			t.Errorf("named %q, want %q (%s)", got, want, file)
		}
		if !h.Record().Closure {
			t.Errorf("%s is not marked as a closure", want)
		}
	}
}

func TestArgumentsAreEncodedAtOnceAndDecodedForEachAttempt(t *testing.T) {
	t.Parallel()
	type args struct{ Tags []string }
	var seen []string
	change := taskflow.Define("change", func(_ context.Context, a args) error {
		seen = append(seen, a.Tags[0])
		a.Tags[0] = "changed by the function"
		return errFlaky
	}, taskflow.Retry(1, nil))
	m := started(t)
	a := args{[]string{"before"}}
	call := change.With(a)
	a.Tags[0] = "changed by the caller"
	h := add(m, call)
	<-h.Done()
	if want := []string{"before", "before"}; !slices.Equal(seen, want) {
		t.Errorf("the attempts saw %q, want %q", seen, want)
	}
	if got := h.Record().Args; !json.Valid(got) || string(got) != `{"Tags":["before"]}` {
		t.Errorf("stored %s", got)
	}
}

func TestArgumentsThatDoNotDecodeFailForGood(t *testing.T) {
	t.Parallel()
	b := newSix()
	b.pending = []taskflow.Record{{ID: taskflow.NewID(time.Now()), Name: "count", Status: taskflow.StatusPending, Args: json.RawMessage(`"seven"`), MaxRetries: 5, Requeue: true}}
	count := taskflow.Define("count", task[int], taskflow.Retry(5, nil))
	m := started(t, taskflow.WithBackend(b), taskflow.WithTasks(count))
	r := eventually(t, m, func(r taskflow.Record) bool { return r.Status.Final() })
	if r.Status != taskflow.StatusFailed || r.Attempts != 1 || !strings.Contains(r.Error, `decode the arguments of "count"`) {
		t.Errorf("%s after %d attempts: %s", r.Status, r.Attempts, r.Error)
	}
}

// eventually follows the only task until ok.
func eventually(t *testing.T, m *taskflow.Manager, ok func(taskflow.Record) bool) taskflow.Record {
	t.Helper()
	s := m.Subscribe()
	defer s.Close()
	for {
		p, err := m.List(t.Context(), taskflow.Query{Full: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Records) > 0 && ok(p.Records[0]) {
			return p.Records[0]
		}
		if _, _, err := s.Next(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPriorityThenArrival(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t, taskflow.WithConcurrency(1))
		gate := make(chan struct{})
		add(m, func() { <-gate })
		synctest.Wait()
		var order []string
		var last taskflow.Handle
		for i, p := range []int{0, -5, 10, 0, 100, 10, -100} {
			last = add(m, func() { order = append(order, fmt.Sprintf("%d#%d", p, i)) }, taskflow.Priority(p))
		}
		close(gate)
		if err := last.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if want := []string{"100#4", "10#2", "10#5", "0#0", "0#3", "-5#1", "-100#6"}; !slices.Equal(order, want) {
			t.Errorf("ran in order %v, want %v", order, want)
		}
	})
}

func TestPoolsBoundWhatRunsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t, taskflow.WithConcurrency(3), taskflow.WithPool("cpu", 2))
		var mu sync.Mutex
		running, most := map[string]int{}, map[string]int{}
		work := func(pool string) func() {
			return func() {
				mu.Lock()
				running[pool]++
				most[pool] = max(most[pool], running[pool])
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				running[pool]--
				mu.Unlock()
			}
		}
		begin := time.Now()
		var all []taskflow.Handle
		for range 12 {
			all = append(all, add(m, work("default")), add(m, work("cpu"), taskflow.Pool("cpu")))
		}
		synctest.Wait()
		if got := fmt.Sprint(m.Pools()); got != "[{default 3 3 9} {cpu 2 2 10}]" {
			t.Errorf("pools are %s", got)
		}
		for _, h := range all {
			if err := h.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if most["default"] != 3 || most["cpu"] != 2 || time.Since(begin) != 6*time.Second {
			t.Errorf("at most %v ran at once, all in %v", most, time.Since(begin))
		}
	})
}

func TestDelayAndRunAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		begin := time.Now()
		for want, opt := range map[time.Duration]taskflow.AddOption{
			0:                taskflow.RunAt(begin.Add(-time.Hour)),
			90 * time.Minute: taskflow.Delay(90 * time.Minute),
			24 * time.Hour:   taskflow.RunAt(begin.Add(24 * time.Hour)),
		} {
			h := add(m, func() {
				if got := time.Since(begin); got != want {
					t.Errorf("started after %v, want %v", got, want)
				}
			}, opt)
			t.Cleanup(func() { wantStatus(t, h, taskflow.StatusSuccess) })
		}
		time.Sleep(25 * time.Hour)
	})
}

func TestTasksAddedBeforeStartWaitForIt(t *testing.T) {
	t.Parallel()
	m := created(t)
	h := add(m, func() {})
	wantStatus(t, h, taskflow.StatusPending)
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if err := m.Start(t.Context()); err == nil {
		t.Error("started twice")
	}
	if err := m.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

type requestKey struct{}

func TestContextKeepsValuesAndDropsCancellation(t *testing.T) {
	t.Parallel()
	m := started(t)
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), requestKey{}, "trace"), time.Hour)
	b := m.NewBatch()
	h := b.Add(ctx, taskflow.WorkOf(func(ctx context.Context) error {
		if _, ok := ctx.Deadline(); ok || ctx.Err() != nil || ctx.Value(requestKey{}) != "trace" {
			t.Errorf("the task's context: error %v, value %v", ctx.Err(), ctx.Value(requestKey{}))
		}
		return nil
	}))
	cancel()
	b.Release()
	if err := h.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestATaskKnowsItself(t *testing.T) {
	t.Parallel()
	m := started(t)
	var infos []taskflow.Info
	h := add(m, func(ctx context.Context) error {
		derived, cancel := context.WithCancel(ctx)
		defer cancel()
		info, ok := taskflow.FromContext(derived)
		if !ok {
			t.Error("no task in the context")
		}
		info.Tags["mine"] = "changed" // it is a copy
		infos = append(infos, info)
		return errFlaky
	}, taskflow.Retry(1, nil), taskflow.Tag("user", "7"), taskflow.Name("who am I"))
	<-h.Done()
	if len(infos) != 2 || infos[0].ID != h.ID() || infos[0].Name != "who am I" || infos[0].Attempt != 1 || infos[1].Attempt != 2 || infos[1].Tags["user"] != "7" {
		t.Errorf("got %+v", infos)
	}
	if len(h.Record().Tags) != 1 {
		t.Errorf("tags are %v", h.Record().Tags)
	}
	if _, ok := taskflow.FromContext(t.Context()); ok {
		t.Error("a task outside of any")
	}
}

func TestATaskAddsTasks(t *testing.T) {
	t.Parallel()
	m := started(t)
	child := make(chan taskflow.Handle, 1)
	b := m.NewBatch()
	ctx := taskflow.ContextWithBatch(t.Context(), b)
	h := taskflow.Add(ctx, func(ctx context.Context) { child <- taskflow.Add(ctx, func() {}) }, taskflow.Eager())
	b.Discard(nil) // the request's fate is not the fate of what its eager task adds
	if err := h.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := (<-child).Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheZeroHandle(t *testing.T) {
	t.Parallel()
	var h taskflow.Handle
	<-h.Done()
	if h.ID() != "" || h.Wait(t.Context()) != nil || h.Rejected() != nil || h.Record().ID != "" {
		t.Errorf("it refers to %+v", h.Record())
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		h := add(m, untilCancelled)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		wantErr(t, h.Wait(ctx), context.DeadlineExceeded)
		wantStatus(t, h, taskflow.StatusRunning)
		if _, err := m.Cancel(t.Context(), h.ID(), ""); err != nil {
			t.Error(err)
		}
	})
}
