package dashboard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// named are the data of the events of one name.
func named(events []event, name string) (data []string) {
	for _, e := range events {
		if e.name == name {
			data = append(data, e.data)
		}
	}
	return data
}

func TestStreamTellsOperations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		for range 3 {
			s.runFail()
		}
		time.Sleep(time.Second)
		w := s.watch()
		defer w.leave()
		o := s.begin(`{"action":"retry","filter":{},"spread_seconds":31}`) // not at the moment of a tick
		var done []string
		for _, data := range named(w.after(time.Minute), "operation") {
			schema := mustLoad(t)
			schema.conformBody(t, "the event operation", "#/components/schemas/Operation", data)
			got := decodeText[operation](t, data)
			if got.ID != o.ID {
				t.Errorf("event of %s, want %s", got.ID, o.ID)
			}
			done = append(done, fmt.Sprint(got.State, got.Done))
		}
		if want := []string{"running1", "running2", "done3"}; !slices.Equal(done, want) {
			t.Errorf("told are %v, want %v", done, want)
		}
	})
}

func TestStreamTellsManyChangesOfAnOperationSeldom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var known []string
		for i := range 500 {
			known = append(known, taskflow.NewID(time.Now().Add(-time.Hour+time.Duration(i)*time.Second)))
		}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(backendWith(t, known...))})
		w := s.watch()
		defer w.leave()
		s.begin(`{"action":"retry","filter":{},"spread_seconds":10}`)
		got := named(w.after(20*time.Second), "operation")
		if len(got) < 10 || len(got) > 25 {
			t.Errorf("%d events in 10 s, want about two a second", len(got))
		}
		if last := decodeText[operation](t, got[len(got)-1]); last.State != "done" || last.Done != 499 {
			t.Errorf("the last is %+v, want it done", last)
		}
	})
}

func TestStreamTellsCountsWhenTheyChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		s.runOK()
		time.Sleep(time.Second)
		w := s.watch()
		defer w.leave()
		w.after(5 * time.Second)
		if want := []string{`{"pending":0,"running":0,"success":1,"failed":0,"interrupted":0,"cancelled":0}`}; !slices.Equal(w.counts, want) {
			t.Errorf("at first: %v, want %v once", w.counts, want)
		}
		for range 50 {
			s.runFail()
			time.Sleep(100 * time.Millisecond)
		}
		w.after(5 * time.Second)
		var last map[string]int
		if err := json.Unmarshal([]byte(w.counts[len(w.counts)-1]), &last); err != nil || last["failed"] != 50 {
			t.Errorf("the last counts are %v, want 50 failed", last)
		}
		if n := len(w.counts); n < 4 || n > 8 {
			t.Errorf("%d counts in 5 s of change, want about one a second", n)
		}
	})
}

func TestStreamTellsProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		w := s.watch()
		defer w.leave()
		s.run(taskflow.WorkOf(func(ctx context.Context) {
			for i := range 100 {
				taskflow.Progress(ctx, int64(i+1), 100)
				time.Sleep(10 * time.Millisecond)
			}
		}))
		events := w.after(time.Second)
		told := named(events, "progress")
		if len(told) < 3 || len(told) > 6 {
			t.Errorf("%d reports in a second, want about four: %v", len(told), told)
		}
		var p struct {
			ID       string `json:"task_id"`
			Progress struct{ Done, Total int }
		}
		if err := json.Unmarshal([]byte(told[0]), &p); err != nil || p.ID == "" || p.Progress.Total != 100 {
			t.Errorf("the first is %s", told[0])
		}
		tasks := named(events, "task")
		if end := decodeText[story](t, tasks[len(tasks)-1]); end.Progress == nil || end.Progress.Done != 100 {
			t.Errorf("the finished task has the progress %+v", end.Progress)
		}
	})
}

func TestStreamTellsWhatHappensOnOtherInstances(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := shared{memory.New()}
		opts := []taskflow.ManagerOption{taskflow.WithTasks(ok, fail, hold), taskflow.WithBackend(b)}
		here, there := openWith(t, opts), openWith(t, opts)
		time.Sleep(20 * time.Second) // each has met the other
		w := here.watch()
		defer w.leave()
		w.after(5 * time.Second)
		seen := func(d time.Duration) (all []string) {
			for _, data := range named(w.after(d), "task") {
				v := decodeText[task](t, data)
				all = append(all, v.ID+" "+v.Status)
			}
			return all
		}
		live, err := there.m.Submit(t.Context(), hold.With(""))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := seen(5*time.Second), []string{live.ID() + " running"}; !slices.Equal(got, want) {
			t.Errorf("a task that runs there: %v, want %v", got, want)
		}
		if got := seen(time.Minute); len(got) != 0 {
			t.Errorf("nothing has changed, but told is %v", got)
		}
		there.post("/"+live.ID()+"/cancel", http.StatusOK)
		if got, want := seen(5*time.Second), []string{live.ID() + " cancelled"}; !slices.Equal(got, want) {
			t.Errorf("its end: %v, want %v", got, want)
		}
		short := there.runFail()
		if got, want := seen(5*time.Second), []string{short + " failed"}; !slices.Equal(got, want) {
			t.Errorf("a task that was added and ended in between: %v, want %v", got, want)
		}
		own := here.runOK()
		if got := seen(5 * time.Second); len(got) == 0 || got[len(got)-1] != own+" success" || slices.Contains(got[:len(got)-1], own+" success") {
			t.Errorf("a task of this instance: %v, want its end once", got)
		}
	})
}

func TestOperationCancelsTasksOfOtherInstances(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		deaf := taskflow.Define("deaf", func(ctx context.Context, _ string) error { <-let; return ctx.Err() })
		opts := []taskflow.ManagerOption{taskflow.WithTasks(deaf), taskflow.WithBackend(shared{memory.New()})}
		here, there := openWith(t, opts), openWith(t, opts)
		for range 64 {
			if _, err := there.m.Submit(t.Context(), deaf.With("")); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(20 * time.Second)
		o := here.begin(`{"action":"cancel","filter":{"instance":"` + there.m.Instance() + `"}}`)
		time.Sleep(10 * time.Second) // each takes 2 s to see that its task does not heed
		if got := here.operation(o.ID); got.State != "done" || got.Done != 64 {
			t.Errorf("got %+v, want all 64 told to end", got)
		}
		close(let)
		time.Sleep(5 * time.Second)
		if got := decode[struct{ Count int }](t, here.get("/count?status=cancelled", http.StatusOK)); got.Count != 64 {
			t.Errorf("%d were cancelled, want 64", got.Count)
		}
	})
}
