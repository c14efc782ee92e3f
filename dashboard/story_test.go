package dashboard_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

type story struct {
	task

	ParentID string `json:"parent_id"`
	Children []string
	Progress *struct {
		Done, Total int
		Unit        string
	}
	Result      json.RawMessage
	AttemptsLog []struct {
		Attempt int
		EndedAt string `json:"ended_at"`
		Error   string
		Wait    float64 `json:"wait_seconds"`
	} `json:"attempts_log"`
}

type family struct {
	Parent   *task
	RetryOf  []task `json:"retry_of"`
	Retries  []task
	Children []task
}

func (s *site) family(id string) family {
	s.t.Helper()
	return decode[family](s.t, s.get("/"+id+"/family", http.StatusOK))
}

func TestATaskTellsItsStory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		report := taskflow.Define("report", func(ctx context.Context, _ string) error {
			taskflow.Progress(ctx, 1, 4, taskflow.ProgressUnit("rows"))
			taskflow.Add(ctx, ok.With("child"))
			time.Sleep(time.Minute)
			if tries++; tries == 1 {
				return errors.New("not yet")
			}
			return taskflow.SetResult(ctx, map[string]string{"file": "<a>.csv"})
		}, taskflow.Retry(1, taskflow.Constant(time.Second)))
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(ok, fail, report), taskflow.WithBackend(memory.New()), taskflow.WithWindow(0)})
		h := s.m.Add(taskflow.WorkOf(report.With("")))
		time.Sleep(30 * time.Second)
		if listed := decode[[]story](t, s.get("/?status=running", http.StatusOK)); len(listed) != 1 || listed[0].Progress == nil || listed[0].Progress.Unit != "rows" {
			t.Errorf("the list of what runs has no progress: %+v", listed)
		}
		if got := decode[map[string]any](t, s.get("/"+h.ID()+"/why", http.StatusOK)); got["state"] != "running" || got["reason"] != "none" {
			t.Errorf("why: %v", got)
		}
		if got := decode[story](t, s.get("/"+h.ID(), http.StatusOK)); len(got.AttemptsLog) != 1 || got.AttemptsLog[0].EndedAt != "" {
			t.Errorf("while it runs: %+v", got.AttemptsLog)
		}
		<-h.Done()
		time.Sleep(time.Second)
		got := decode[story](t, s.get("/"+h.ID(), http.StatusOK))
		if string(got.Result) != `{"file":"\u003ca\u003e.csv"}` || len(got.Children) != 2 || got.Progress == nil || got.Progress.Done != 1 {
			t.Errorf("result %s, children %v, progress %+v", got.Result, got.Children, got.Progress)
		}
		if log := got.AttemptsLog; len(log) != 2 || log[0].Error != "not yet" || log[1].Error != "" || log[1].Wait != 1 || log[1].Attempt != 2 {
			t.Errorf("attempts %+v", log)
		}
		if f := s.family(h.ID()); f.Parent != nil || !slices.Equal(ids(f.Children), got.Children) || len(f.Retries)+len(f.RetryOf) != 0 {
			t.Errorf("family %+v", f)
		}
		child := got.Children[0]
		if f := s.family(child); f.Parent == nil || f.Parent.ID != h.ID() || len(f.Children) != 0 {
			t.Errorf("the child's family %+v", f)
		}
		if got := decode[story](t, s.get("/"+child, http.StatusOK)); got.ParentID != h.ID() || len(got.AttemptsLog) != 1 {
			t.Errorf("the child: %+v", got)
		}
		s.ended(s.begin(`{"action":"delete","task_ids":` + quoted(h.ID()) + `}`).ID)
		if f := s.family(child); f.Parent != nil {
			t.Errorf("a parent that is gone: %+v", f.Parent)
		}
	})
}

func TestRetriesAreAChain(t *testing.T) {
	t.Parallel()
	s := open(t)
	first := s.runFail()
	second := decode[acted](t, s.post("/"+first+"/retry", http.StatusOK)).ID
	waitFinal(t, s, second)
	third := decode[acted](t, s.post("/"+second+"/retry", http.StatusOK)).ID
	waitFinal(t, s, third)
	for id, want := range map[string][2][]string{
		first: {{}, {second, third}}, second: {{first}, {third}}, third: {{second, first}, {}},
	} {
		f := s.family(id)
		if !slices.Equal(ids(f.RetryOf), want[0]) || !slices.Equal(ids(f.Retries), want[1]) {
			t.Errorf("%s: repeats %v and is repeated by %v, want %v", id, ids(f.RetryOf), ids(f.Retries), want)
		}
	}
	for _, path := range []string{"/why", "/family"} {
		s.get("/"+taskflow.NewID(time.Now())+path, http.StatusNotFound)
		s.get("/nonsense"+path, http.StatusNotFound)
	}
}
