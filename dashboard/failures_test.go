package dashboard_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

type failureAnswer struct {
	Groups   []failureKind
	Scanned  int
	Complete bool
	Since    time.Time
}

type failureKind struct {
	ID                 string `json:"failure_group"`
	Name               string `json:"func_name"`
	Error              string
	Count, Outstanding int
	FirstSeen          time.Time `json:"first_seen"`
	LastSeen           time.Time `json:"last_seen"`
	OutstandingSince   time.Time `json:"outstanding_since"`
	TaskIDs            []string  `json:"task_ids"`
	Trend              []int
}

// failedAt is a failed record of that age.
func failedAt(now time.Time, age time.Duration, name, text string) taskflow.Record {
	at := now.Add(-age)
	return taskflow.Record{ID: taskflow.NewID(at), Name: name, Status: taskflow.StatusFailed, Source: "manual", Pool: "default", CreatedAt: at,
		StartTime: at, EndTime: at, Attempts: 1, Error: text, Args: []byte(`"a"`)}
}

func TestFailuresAreGroupedByKind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, now := memory.New(), time.Now()
		records := []taskflow.Record{
			failedAt(now, 23*time.Hour, "fail", "user 1 not found"), failedAt(now, 2*time.Hour, "fail", "user 2 not found\nstack"),
			failedAt(now, time.Hour, "fail", "timeout after 3s"), failedAt(now, 30*time.Hour, "fail", "user 3 not found"),
			failedAt(now, 30*time.Minute, "resize", "user 4 not found"),
		}
		records[1].RetriedBy = taskflow.NewID(now)
		if _, err := b.Save(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(b)})
		got := decode[failureAnswer](t, s.get("/failures", http.StatusOK))
		if len(got.Groups) != 3 || got.Scanned != 4 || !got.Complete {
			t.Fatalf("got %+v, want three groups of four failures", got)
		}
		g := got.Groups[0]
		if g.Name != "fail" || g.Count != 2 || g.Outstanding != 1 || g.Error != "user 2 not found" || !g.FirstSeen.Equal(records[0].EndTime) ||
			!g.LastSeen.Equal(records[1].EndTime) || !slices.Equal(g.TaskIDs, []string{records[1].ID, records[0].ID}) {
			t.Errorf("the first group is %+v", g)
		}
		if len(g.Trend) != 24 || g.Trend[1] != 1 || g.Trend[22] != 1 {
			t.Errorf("its trend is %v, want one 23 hours ago and one 2 hours ago", g.Trend)
		}
		if got := ids(s.list("/?failure_group=" + g.ID)); !slices.Equal(got, []string{records[1].ID, records[0].ID, records[3].ID}) {
			t.Errorf("the list by group has %v", got)
		}
		for target, want := range map[string]int{
			"?since=7d": 3, "?since=45m": 1, "?func_name=resize": 1, "?func_name=nobody": 0, "?q=timeout": 1, "?limit=2": 2, "?since=2199-01-01T00:00:00Z": 0,
		} {
			if got := decode[failureAnswer](t, s.get("/failures"+target, http.StatusOK)); len(got.Groups) != want {
				t.Errorf("%s: %d groups, want %d", target, len(got.Groups), want)
			}
		}
		detail(t, s.get("/failures?since=yesterday", http.StatusBadRequest))
		detail(t, s.get("/failures?status=failed", http.StatusBadRequest))
	})
}

// A failure is told as one task: its error, its end and the link to it belong together. Ages are of what is counted.
func TestAFailureIsToldAsTheTaskThatEndedLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, now := memory.New(), time.Now()
		slow, quick := failedAt(now, 50*time.Minute, "fail", "user 1 not found"), failedAt(now, 40*time.Minute, "fail", "user 2 not found")
		slow.EndTime = now.Add(-10 * time.Minute) // was added first, and ended after the other
		old, last := failedAt(now, 55*time.Minute, "fail", "user 3 not found"), failedAt(now, 5*time.Minute, "fail", "user 4 not found")
		old.RetriedBy, last.RetriedBy = taskflow.NewID(now), taskflow.NewID(now)
		if _, err := b.Save(t.Context(), []taskflow.Record{slow, quick, old, last}); err != nil {
			t.Fatal(err)
		}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(b)})
		g := decode[failureAnswer](t, s.get("/failures", http.StatusOK)).Groups[0]
		if g.Error != "user 4 not found" || !slices.Equal(g.TaskIDs, []string{last.ID, slow.ID, quick.ID, old.ID}) {
			t.Errorf("the group has the error %q and the tasks %v, want those that ended last first", g.Error, g.TaskIDs)
		}
		if g.Outstanding != 2 || !g.OutstandingSince.Equal(quick.EndTime) || !g.FirstSeen.Equal(old.EndTime) {
			t.Errorf("the group has %d outstanding since %v, all since %v", g.Outstanding, g.OutstandingSince, g.FirstSeen)
		}
		p := decode[problemAnswer](t, s.get("/problems", http.StatusOK)).Problems[0]
		if p.TaskID != slow.ID || p.Detail != "user 1 not found" || p.Count != 2 || !p.FirstSeen.Equal(quick.EndTime) || !p.LastSeen.Equal(slow.EndTime) {
			t.Errorf("the problem is %+v, want it of what nobody has retried", p)
		}
	})
}

// counting counts the queries.
type counting struct {
	*memory.Backend

	queries atomic.Int32
	held    chan struct{} // closed when they may go on
}

func (c *counting) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	c.queries.Add(1)
	<-c.held
	return c.Backend.Query(ctx, q)
}

func TestFailuresAreLookedForOnceForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &counting{Backend: memory.New(), held: make(chan struct{})}
		if _, err := b.Save(t.Context(), []taskflow.Record{failedAt(time.Now(), time.Minute, "fail", "x")}); err != nil {
			t.Fatal(err)
		}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(b)})
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { s.get("/failures", http.StatusOK) })
		}
		leaver, leave := context.WithCancel(t.Context())
		all.Go(func() { s.h.ServeHTTP(httptest.NewRecorder(), newRequest(leaver, http.MethodGet, "/failures", nil)) })
		synctest.Wait()
		leave()
		synctest.Wait()
		close(b.held)
		all.Wait()
		s.get("/failures", http.StatusOK)
		if n := b.queries.Load(); n != 1 {
			t.Errorf("%d queries for the same question, want 1", n)
		}
		time.Sleep(4 * time.Second)
		s.get("/failures", http.StatusOK)
		if n := b.queries.Load(); n != 2 {
			t.Errorf("%d queries in all, want 2: the answer is old by now", n)
		}
	})
}

func TestFailuresLookAtABoundedNumber(t *testing.T) {
	t.Parallel()
	b, now := memory.New(), time.Now()
	var records []taskflow.Record
	for i := range 10_050 {
		records = append(records, failedAt(now, time.Minute+time.Duration(i)*time.Millisecond, "fail", fmt.Sprintf("user %d", i)))
	}
	if _, err := b.Save(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(b)})
	got := decode[failureAnswer](t, s.get("/failures", http.StatusOK))
	if got.Scanned != 10_000 || got.Complete || len(got.Groups) != 1 || got.Groups[0].Count != 10_000 {
		t.Errorf("scanned %d, complete %t; want 10,000 and that it is not", got.Scanned, got.Complete)
	}
}

type problemAnswer struct {
	Complete bool
	Problems []struct {
		Kind, Severity, Title, Detail string
		Count                         int
		Name                          string    `json:"func_name"`
		Group                         string    `json:"failure_group"`
		TaskID                        string    `json:"task_id"`
		InstanceID                    string    `json:"instance_id"`
		FirstSeen                     time.Time `json:"first_seen"`
		LastSeen                      time.Time `json:"last_seen"`
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		stubborn := make(chan struct{})
		ignores := taskflow.Define("ignores", func(context.Context, string) error { <-stubborn; return nil }, taskflow.Timeout(time.Minute))
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(ok, fail, hold, ignores), taskflow.WithBackend(b), taskflow.WithConcurrency(2), taskflow.WithQueueSize(10)})
		defer close(stubborn)
		if got := decode[problemAnswer](t, s.get("/problems", http.StatusOK)); len(got.Problems) != 0 || !got.Complete {
			t.Fatalf("nothing is wrong, but: %+v", got)
		}
		bad := s.runFail()
		parked := taskflow.Record{ID: taskflow.NewID(time.Now()), Name: "unheard_of", Status: taskflow.StatusPending, Source: "manual", Pool: "default", CreatedAt: time.Now(), Args: []byte(`1`)}
		if _, err := b.SavePending(t.Context(), []taskflow.Record{parked}); err != nil {
			t.Fatal(err)
		}
		held := s.m.Add(taskflow.WorkOf(hold.With("")))
		slow := s.m.Add(taskflow.WorkOf(ignores.With("")))
		synctest.Wait()
		for range 9 {
			s.m.Add(taskflow.WorkOf(ok.With("")))
		}
		time.Sleep(10 * time.Minute)
		got := decode[problemAnswer](t, s.get("/problems", http.StatusOK))
		var kinds []string
		for _, p := range got.Problems {
			kinds = append(kinds, p.Kind+" "+p.Severity)
			if p.Title == "" || p.Detail == "" {
				t.Errorf("%+v says nothing", p)
			}
		}
		if want := []string{"failing error", "queue_full warning", "stuck warning", "parked warning", "late warning"}; !slices.Equal(kinds, want) {
			t.Fatalf("got %v, want %v", kinds, want)
		}
		if p := got.Problems[0]; p.TaskID != bad || p.Detail != errBroken.Error() || p.Count != 1 || p.Group == "" {
			t.Errorf("failing: %+v", p)
		}
		if p := got.Problems[2]; p.TaskID != slow.ID() || !strings.Contains(p.Detail, "1m0s") {
			t.Errorf("stuck: %+v", p)
		}
		if p := got.Problems[3]; p.Name != "unheard_of" || p.TaskID != parked.ID {
			t.Errorf("parked: %+v", p)
		}
		if p := got.Problems[4]; p.Count != 9 {
			t.Errorf("late: %+v", p)
		}
		time.Sleep(time.Hour)
		got = decode[problemAnswer](t, s.get("/problems", http.StatusOK))
		stuck := 0
		for _, p := range got.Problems {
			if p.Kind == "failing" {
				t.Errorf("after an hour: %+v", p)
			}
			if p.Kind == "stuck" {
				stuck++
			}
		}
		if stuck != 2 {
			t.Errorf("%d kinds of tasks are stuck, want 2: one has run for an hour without a time-out", stuck)
		}
		s.post("/"+held.ID()+"/cancel", http.StatusOK)
	})
}

func TestProblemsOfInstances(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &heartless{Backend: memory.New()}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(ok), taskflow.WithBackend(b)})
		silent := taskflow.Instance{ID: "quiet", Host: "b", PID: 7}
		troubled := taskflow.Instance{ID: "troubled", Host: "c", DegradedSince: time.Now()}
		for _, i := range []taskflow.Instance{silent, troubled} {
			if err := b.Join(t.Context(), i, time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(50 * time.Minute)
		if err := b.Renew(t.Context(), troubled, time.Hour); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second) // past a heartbeat
		b.off.Store(true)
		time.Sleep(10 * time.Second)
		var kinds []string
		for _, p := range decode[problemAnswer](t, s.get("/problems", http.StatusOK)).Problems {
			kinds = append(kinds, p.Kind+" "+p.InstanceID)
		}
		if want := []string{"degraded " + s.m.Instance(), "degraded troubled", "silent quiet"}; !slices.Equal(kinds, want) {
			t.Errorf("got %v, want %v", kinds, want)
		}
		b.off.Store(false)
		time.Sleep(10 * time.Second)
	})
}

// heartless refuses heartbeats of the manager while it is off.
type heartless struct {
	*memory.Backend

	off atomic.Bool
}

func (h *heartless) Renew(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	if h.off.Load() {
		return errors.New("read only")
	}
	return h.Backend.Renew(ctx, i, ttl)
}

// gone is a backend of which nothing works while it is off, the list of instances neither.
type gone struct{ *heartless }

func (g gone) Instances(ctx context.Context) ([]taskflow.Instance, error) {
	if g.off.Load() {
		return nil, errors.New("connection refused by db.internal")
	}
	return g.Backend.Instances(ctx)
}

func (g gone) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	if g.off.Load() {
		return taskflow.Page{}, errors.New("connection refused by db.internal")
	}
	return g.Backend.Query(ctx, q)
}

func TestProblemsNameAStorageOfWhichNothingWorks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := gone{&heartless{Backend: memory.New()}}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(ok), taskflow.WithBackend(b)})
		b.off.Store(true)
		time.Sleep(10 * time.Second) // past a heartbeat
		got := decode[problemAnswer](t, s.get("/problems", http.StatusOK))
		if len(got.Problems) != 1 || got.Problems[0].Kind != "degraded" || got.Complete {
			t.Errorf("got %+v, want that the storage fails, and that this need not be all", got)
		}
		b.off.Store(false)
		time.Sleep(10 * time.Second)
		if got = decode[problemAnswer](t, s.get("/problems", http.StatusOK)); len(got.Problems) != 0 || !got.Complete {
			t.Errorf("got %+v after the storage is back, want that nothing is wrong", got)
		}
	})
}

func TestTasksWhoseProcessDiedAreAGroupOfTheirOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, now := memory.New(), time.Now()
		died := taskflow.Record{ID: taskflow.NewID(now), Name: "ok", Status: taskflow.StatusRunning, Source: "manual", Pool: "default", CreatedAt: now,
			StartTime: now, Attempts: 1, Owner: "dead", Args: []byte(`"a"`)}
		if err := b.PutPending(t.Context(), []taskflow.Record{died}); err != nil {
			t.Fatal(err)
		}
		stopped := failedAt(now, time.Minute, "ok", taskflow.ErrInterrupted.Error()+": "+taskflow.ErrStopped.Error()+" while it ran: context canceled")
		stopped.Status = taskflow.StatusInterrupted
		if _, err := b.Save(t.Context(), []taskflow.Record{stopped}); err != nil {
			t.Fatal(err)
		}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(ok), taskflow.WithBackend(b)})
		time.Sleep(time.Minute)
		got := decode[failureAnswer](t, s.get("/failures", http.StatusOK))
		if len(got.Groups) != 2 || got.Groups[0].Error == got.Groups[1].Error {
			t.Errorf("got %+v, want one group for the process that died, one for the stop", got.Groups)
		}
	})
}

func TestFailuresAreLookedForAnewAfterAnAction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		record := failedAt(time.Now(), time.Minute, "fail", "x")
		if _, err := b.Save(t.Context(), []taskflow.Record{record}); err != nil {
			t.Fatal(err)
		}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(b)})
		known := func() (count, outstanding int) {
			t.Helper()
			for _, g := range decode[failureAnswer](t, s.get("/failures", http.StatusOK)).Groups {
				if slices.Contains(g.TaskIDs, record.ID) {
					count, outstanding = count+g.Count, outstanding+g.Outstanding
				}
			}
			return count, outstanding
		}
		if count, outstanding := known(); count != 1 || outstanding != 1 {
			t.Fatalf("%d failures, %d outstanding, want one of each", count, outstanding)
		}
		s.post("/"+record.ID+"/retry", http.StatusOK)
		if count, outstanding := known(); count != 1 || outstanding != 0 {
			t.Errorf("after a retry: %d failures, %d outstanding, want one that is not outstanding", count, outstanding)
		}
		o := s.begin(`{"action":"delete","task_ids":["` + record.ID + `"]}`)
		known() // while it runs
		synctest.Wait()
		if got := s.operation(o.ID); got.State != "done" || got.Done != 1 {
			t.Fatalf("got %+v, want it done", got)
		}
		if count, _ := known(); count != 0 {
			t.Errorf("after the deletion: %d failures, want none", count)
		}
	})
}

// Tasks that wait for their time must not hide one that is late: what was not looked at is said.
func TestProblemsLookBehindManyWaitingTasks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, now := memory.New(), time.Now()
		rows := make([]taskflow.Record, 0, 12_000)
		for i := range cap(rows) {
			at := now.Add(-time.Hour + time.Duration(i)*time.Millisecond)
			r := taskflow.Record{ID: taskflow.NewID(at), Name: "gone", Status: taskflow.StatusPending, CreatedAt: at, Pool: "default", RunAt: now.Add(time.Hour)}
			if i == 5_000 {
				r.Name, r.RunAt = "forgotten", time.Time{}
			}
			rows = append(rows, r)
		}
		if err := b.PutPending(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(ok), taskflow.WithBackend(b)})
		got := decode[problemAnswer](t, s.get("/problems", http.StatusOK))
		found := false
		for _, p := range got.Problems {
			found = found || strings.HasPrefix(p.Title, "forgotten ")
		}
		if got.Complete || !found {
			t.Errorf("got %+v, want the one behind 7,000 others, and that there are more", got)
		}
	})
}
