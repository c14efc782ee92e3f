package taskflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

type (
	node struct {
		Next *node
		Any  json.RawMessage
	}
	ring      struct{ Self *ring }
	hidden    struct{ secret string }
	selfCoded struct{ secret string }
	embeds    struct{ Embedded }
	embedsTo  struct{ *Embedded }
	embedsLow struct{ lower }
	bad       struct {
		*lower
		ID int
	}
	badTagged struct {
		*lower `json:"in"`
		ID     int
	}
	skipped struct {
		*lower `json:"-"`
		Name   string
	}
	lower     struct{ Name string }
	Embedded  struct{ Name string }
	everyKind struct {
		B  bool
		I  int64
		U  uint8
		F  float32
		S  string
		P  *string
		L  []string
		A  [2]int
		M  map[string]int
		N  map[int]string
		T  time.Time
		D  time.Duration
		R  json.RawMessage
		No func() `json:"-"`
		n  int
	}
)

func (s selfCoded) MarshalText() ([]byte, error)  { return []byte(s.secret), nil }
func (s *selfCoded) UnmarshalText(b []byte) error { s.secret = string(b); return nil }

func task[A any](context.Context, A) error { return nil }

func TestDefineRefusesWhatCannotBeStored(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", taskflow.MaxNameBytes+1)
	for name, c := range map[string]struct {
		define func()
		want   string
	}{
		"empty name":       {func() { taskflow.Define("", task[int]) }, "name is empty"},
		"long name":        {func() { taskflow.Define(long, task[int]) }, "201 bytes, the limit is 200"},
		"name not UTF-8":   {func() { taskflow.Define("a\xff", task[int]) }, "not valid UTF-8"},
		"newline in name":  {func() { taskflow.Define("a\nb", task[int]) }, "cannot be printed"},
		"nil function":     {func() { taskflow.Define[int]("a", nil) }, "function is nil"},
		"nil option":       {func() { taskflow.Define("a", task[int], nil) }, "option is nil"},
		"function":         {func() { taskflow.Define("a", task[func()]) }, "is a func"},
		"channel in field": {func() { taskflow.Define("a", task[struct{ C chan int }]) }, "struct { C chan int }.C is a chan"},
		"complex":          {func() { taskflow.Define("a", task[[]complex64]) }, "is a complex64"},
		"any":              {func() { taskflow.Define("a", task[any]) }, "is an interface"},
		"error in map":     {func() { taskflow.Define("a", task[map[string]error]) }, "is an interface"},
		"struct key":       {func() { taskflow.Define("a", task[map[[2]int]int]) }, "the keys of"},
		"nothing exported": {func() { taskflow.Define("a", task[hidden]) }, "has no exported field"},
		"hidden pointer":   {func() { taskflow.Define("a", task[bad]) }, "bad.lower is an embedded pointer to an unexported struct"},
		"same with a name": {func() { taskflow.Define("a", task[[]badTagged]) }, "badTagged.lower is an embedded pointer to an unexported"},
		"bad option":       {func() { taskflow.Define("a", task[int], taskflow.Retry(-1, nil)) }, "number of retries must not be negative, not -1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if text := mustPanic(t, c.define); !strings.Contains(text, "taskflow.Define(") || !strings.Contains(text, c.want) {
				t.Errorf("panicked with %q, want it to say %q", text, c.want)
			}
		})
	}
}

func TestDefineAcceptsWhatJSONCarries(t *testing.T) {
	t.Parallel()
	for name, define := range map[string]func(){
		"struct{}":  func() { taskflow.Define("a", task[struct{}]) },
		"recursive": func() { taskflow.Define("a", task[node]) },
		"self":      func() { taskflow.Define("a", task[selfCoded]) },
		"pointer":   func() { taskflow.Define("a", task[*selfCoded]) },
		"embedded":  func() { taskflow.Define("a", task[embeds]) },
		"pointed":   func() { taskflow.Define("a", task[embedsTo]) },
		"unnamed":   func() { taskflow.Define("a", task[embedsLow]) },
		"skipped":   func() { taskflow.Define("a", task[skipped]) },
		"every":     func() { taskflow.Define("a", task[everyKind]) },
		"bytes":     func() { taskflow.Define("a", task[[]byte]) },
		"hostile":   func() { taskflow.Define(`</script><script>alert(1)</script>'"`, task[int]) },
		"unicode":   func() { taskflow.Define("إرسال 📧", task[int]) },
	} {
		t.Run(name, func(*testing.T) { define() })
	}
}

// invalidOptions are refused wherever they are given: by Define with a panic, by Add with a refused task, by Submit with an error.
var invalidOptions = map[string]struct {
	option taskflow.Option
	want   string
}{
	"negative retries":     {taskflow.Retry(-1, nil), "Retry: the number of retries must not be negative, not -1"},
	"zero base":            {taskflow.Retry(1, taskflow.Exponential(0, 2)), "base must be above 0, not 0s"},
	"zero factor":          {taskflow.Retry(1, taskflow.Exponential(time.Second, 0)), "factor must be at least 1, not 0"},
	"factor NaN":           {taskflow.Retry(1, taskflow.Exponential(time.Second, math.NaN())), "factor must be at least 1, not NaN"},
	"infinite factor":      {taskflow.Retry(1, taskflow.Exponential(time.Second, math.Inf(1))), "factor must be at least 1, not +Inf"},
	"negative cap":         {taskflow.Retry(1, taskflow.Exponential(time.Second, 2).Cap(-1)), "Cap must be above 0, not -1ns"},
	"jitter above 1":       {taskflow.Retry(1, taskflow.Exponential(time.Second, 2).Jitter(1.5)), "Jitter must be from 0 to 1, not 1.5"},
	"negative constant":    {taskflow.Retry(1, taskflow.Constant(-time.Second)), "wait must not be negative, not -1s"},
	"nil backoff function": {taskflow.Retry(1, taskflow.BackoffFunc(nil)), "Retry: the BackoffFunc is nil"},
	"nil policy":           {taskflow.RetryWith(nil), "RetryWith: the function is nil"},
	"zero timeout":         {taskflow.Timeout(0), "Timeout: must be above 0, not 0s"},
	"negative deadline":    {taskflow.Deadline(-time.Second), "Deadline: must be above 0, not -1s"},
	"priority too high":    {taskflow.Priority(101), "Priority: must be from -100 to 100, not 101"},
	"empty pool":           {taskflow.Pool(""), "Pool: the name is empty"},
	"empty tag":            {taskflow.Tag("", "x"), `Tag: the key is empty (value "x")`},
	"pool nobody has made": {taskflow.Pool("gpu"), `there is no pool "gpu"; define it by WithPool`},
}

func TestInvalidOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range invalidOptions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := started(t)
			h := add(m, func() { t.Error("ran") }, c.option)
			<-h.Done()
			wantErr(t, h.Rejected(), taskflow.ErrInvalidOption)
			r := wantStatus(t, h, taskflow.StatusCancelled)
			if !strings.Contains(r.Error, c.want) {
				t.Errorf("record says %q, want %q", r.Error, c.want)
			}
			if name == "pool nobody has made" {
				return // Define does not know the pools; New refuses the task
			}
			if text := mustPanic(t, func() { taskflow.Define("a", task[int], c.option) }); !strings.Contains(text, c.want) {
				t.Errorf("Define panicked with %q, want %q", text, c.want)
			}
		})
	}
}

func TestInvalidCallOptionsAreRefused(t *testing.T) {
	t.Parallel()
	m := started(t)
	for want, option := range map[string]taskflow.AddOption{
		"Delay: must not be negative, not -1s":          taskflow.Delay(-time.Second),
		"RunAt: the time is zero":                       taskflow.RunAt(time.Time{}),
		"Name: the name is empty":                       taskflow.Name(""),
		"an option is nil":                              nil,
		"Requeue: a closure cannot be kept":             taskflow.Requeue(),
		`Tag: more than 32 tags, "k32" is one too many`: tagged(33),
	} {
		h := add(m, func() { t.Error("ran") }, option)
		<-h.Done()
		wantErr(t, h.Rejected(), taskflow.ErrInvalidOption)
		if r := wantStatus(t, h, taskflow.StatusCancelled); !strings.Contains(r.Error, want) {
			t.Errorf("record says %q, want %q", r.Error, want)
		}
	}
}

// tagged adds n different tags.
func tagged(n int) taskflow.AddOption { return taskflow.ManyTags(n) }

func TestNewRefusesInvalidOptions(t *testing.T) {
	t.Parallel()
	one, other := taskflow.Define("same", task[int]), taskflow.Define("same", task[string])
	aliased := taskflow.Define("renamed", task[int], taskflow.Aliases("same"))
	pooled := taskflow.Define("pooled", task[int], taskflow.Pool("gpu"))
	for want, opts := range map[string][]taskflow.ManagerOption{
		`two tasks answer to the name "same"`:          {taskflow.WithTasks(one, other)},
		`two tasks answer to the name "same": rename`:  {taskflow.WithTasks(one, aliased)},
		`task "pooled" wants pool "gpu"`:               {taskflow.WithTasks(pooled)},
		"WithTasks: task 1 is nil":                     {taskflow.WithTasks(nil)},
		"WithConcurrency: must be at least 1, not 0":   {taskflow.WithConcurrency(0)},
		`WithPool("cpu"): must be at least 1, not -1`:  {taskflow.WithPool("cpu", -1)},
		`WithPool("cpu"): given twice`:                 {taskflow.WithPool("cpu", 1), taskflow.WithPool("cpu", 2)},
		`WithPool("default"): the default pool's size`: {taskflow.WithPool("default", 1)},
		"WithPool: the name must have 1 to 200 bytes":  {taskflow.WithPool("", 1)},
		"WithQueueSize: must be at least 1, not 0":     {taskflow.WithQueueSize(0)},
		"WithWindow: must not be negative, not -1":     {taskflow.WithWindow(-1)},
		"WithBackend: the backend is nil":              {taskflow.WithBackend(nil)},
		"WithLogger: the logger is nil":                {taskflow.WithLogger(nil)},
		"WithObserver: the observer is nil":            {taskflow.WithObserver(nil)},
		"WithStopGrace: must not be negative, not -1s": {taskflow.WithStopGrace(-time.Second)},
		"an option is nil":                             {nil},
	} {
		if _, err := taskflow.New(opts...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New says %v, want %q", err, want)
		}
	}
}

func TestAddRefusesArgumentsThatJSONCannotCarry(t *testing.T) {
	t.Parallel()
	loop := &ring{}
	loop.Self = loop
	rings := taskflow.Define("rings", task[*ring])
	floats := taskflow.Define("floats", task[float64])
	texts := taskflow.Define("texts", task[string])
	m := started(t, taskflow.WithTasks(rings, floats, texts), taskflow.WithBackend(newSix()))
	for name, c := range map[string]struct {
		call taskflow.Call
		want string
	}{
		"cycle":    {rings.With(loop), "cycle"},
		"NaN":      {floats.With(math.NaN()), "NaN"},
		"10 MB":    {texts.With(strings.Repeat("x", 10<<20)), "10485762 bytes as JSON, the limit is 1048576"},
		"infinity": {floats.With(math.Inf(-1)), "Inf"},
	} {
		t.Run(name, func(t *testing.T) {
			h := add(m, c.call)
			<-h.Done()
			wantErr(t, h.Rejected(), taskflow.ErrArguments)
			wantErr(t, h.Wait(t.Context()), taskflow.ErrArguments)
			if r := wantStatus(t, h, taskflow.StatusCancelled); !strings.Contains(r.Error, c.want) {
				t.Errorf("record says %q, want %q", r.Error, c.want)
			}
			if _, err := m.Retry(t.Context(), h.ID()); !errors.Is(err, taskflow.ErrNotRetryable) {
				t.Errorf("retry of a task without stored arguments: %v", err)
			}
		})
	}
	// The largest arguments that fit run.
	h := add(m, texts.With(strings.Repeat("x", taskflow.MaxArgsBytes-2)))
	if err := h.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAddOfNilPanicsAndSaysWhatToWrite(t *testing.T) {
	t.Parallel()
	type job func(context.Context) error
	m := started(t)
	for name, f := range map[string]func(){
		"nil func":       func() { add(m, (func())(nil)) },
		"nil func error": func() { add(m, (func() error)(nil)) },
		"nil ctx func":   func() { add(m, (func(context.Context))(nil)) },
		"nil ctx error":  func() { add(m, (func(context.Context) error)(nil)) },
		"nil named func": func() { add(m, job(nil)) },
	} {
		if text := mustPanic(t, f); !strings.Contains(text, "nil function") || !strings.Contains(text, "With(args)") {
			t.Errorf("%s: panicked with %q", name, text)
		}
	}
	if text := mustPanic(t, func() { add(m, taskflow.Call{}) }); !strings.Contains(text, "Task.With") {
		t.Errorf("zero Call: panicked with %q", text)
	}
	if text := mustPanic(t, func() { taskflow.Task[int]{}.With(1) }); !strings.Contains(text, "taskflow.Define") {
		t.Errorf("zero Task: panicked with %q", text)
	}
}

func TestAddWithoutMiddlewarePanicsAndSaysWhatToWrite(t *testing.T) {
	t.Parallel()
	if text := mustPanic(t, func() { taskflow.Add(context.Background(), func() {}) }); !strings.Contains(text, "tasks.Middleware(m)") {
		t.Errorf("panicked with %q", text)
	}
}

func TestAddToAFullQueueIsRefusedAndVisible(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t, taskflow.WithQueueSize(2), taskflow.WithConcurrency(1))
		running := add(m, untilCancelled)
		synctest.Wait() // it has left the queue
		waiting := []taskflow.Handle{add(m, func() {}), add(m, func() {}, taskflow.Delay(time.Minute))}
		h := add(m, func() { t.Error("ran") })
		wantErr(t, h.Rejected(), taskflow.ErrQueueFull)
		wantErr(t, h.Wait(t.Context()), taskflow.ErrQueueFull)
		if r, err := m.Get(t.Context(), h.ID()); err != nil || r.Status != taskflow.StatusCancelled || !strings.Contains(r.Error, "2 tasks are waiting") {
			t.Errorf("the refused task is %+v, %v", r, err)
		}
		if _, err := m.Cancel(t.Context(), running.ID(), ""); err != nil {
			t.Fatal(err)
		}
		for _, h := range waiting {
			if err := h.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if err := add(m, func() {}).Wait(t.Context()); err != nil {
			t.Errorf("after the queue has emptied: %v", err)
		}
	})
}

func TestUnregisteredTaskCannotBeKept(t *testing.T) {
	t.Parallel()
	stranger := taskflow.Define("stranger", task[int], taskflow.Requeue())
	m := started(t, taskflow.WithBackend(newSix()))
	h := add(m, stranger.With(1))
	wantErr(t, h.Rejected(), taskflow.ErrNotRegistered)
	_, err := m.Submit(t.Context(), stranger.With(1))
	wantErr(t, err, taskflow.ErrNotDurable) // the six methods are no journal
	plain := taskflow.Define("plain", task[int])
	if err := add(m, plain.With(1)).Wait(t.Context()); err != nil {
		t.Errorf("an unregistered task that need not be kept: %v", err)
	}
}

func TestAddAfterStopIsRefused(t *testing.T) {
	t.Parallel()
	m := started(t)
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := add(m, func() { t.Error("ran") })
	wantErr(t, h.Rejected(), taskflow.ErrStopped)
	wantErr(t, h.Wait(t.Context()), taskflow.ErrStopped)
	wantStatus(t, h, taskflow.StatusCancelled)
	wantErr(t, m.Start(t.Context()), taskflow.ErrStopped)
}

func TestUnknownAndMalformedIDs(t *testing.T) {
	t.Parallel()
	m := started(t)
	for _, id := range []string{"", "x", "../../etc/passwd", strings.Repeat("a", 10_000), taskflow.NewID(time.Now()), "01890A5D-AC96-774B-BCCE-B302099A8057"} {
		_, err := m.Get(t.Context(), id)
		wantErr(t, err, taskflow.ErrNotFound)
		_, err = m.Cancel(t.Context(), id, "")
		wantErr(t, err, taskflow.ErrNotFound)
		_, err = m.Retry(t.Context(), id)
		wantErr(t, err, taskflow.ErrNotFound)
		if len(err.Error()) > 400 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	}
	if _, err := m.List(t.Context(), taskflow.Query{Before: "nonsense"}); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("list before nonsense: %v", err)
	}
}
