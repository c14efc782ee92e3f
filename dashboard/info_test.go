package dashboard_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := open(t)
	for range 3 {
		s.runOK()
	}
	s.runFail()
	s.m.Add(taskflow.WorkOf(ok.With("")), taskflow.Delay(time.Hour))
	got := decode[map[string]any](t, s.get("/metrics", http.StatusOK))
	for name, want := range map[string]float64{
		"total": 5, "success": 3, "failed": 1, "pending": 1, "running": 0, "interrupted": 0, "cancelled": 0, "success_rate": 0.75,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	p := got["percentiles"].(map[string]any)
	if p["p50"].(float64) <= 0 || p["p99"].(float64) < p["p50"].(float64) {
		t.Errorf("percentiles %v", p)
	}
}

func TestFunctionsShowPolicies(t *testing.T) {
	t.Parallel()
	send := taskflow.Define("send", func(context.Context, struct{ To string }) error { return nil },
		taskflow.Retry(3, nil), taskflow.Timeout(1500*time.Millisecond), taskflow.Priority(5), taskflow.Aliases("mail"), taskflow.Tag("team", "a"))
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(send)})
	got := decode[[]map[string]any](t, s.get("/functions", http.StatusOK))
	if len(got) != 1 || got[0]["func_name"] != "send" || got[0]["max_retries"] != 3.0 || got[0]["timeout_seconds"] != 1.5 ||
		got[0]["priority"] != 5.0 || got[0]["pool"] != "default" {
		t.Errorf("got %v", got)
	}
	none := openWith(t, nil)
	for _, at := range []string{"/functions", "/schedules", "/audit", "/"} {
		if body := none.get(at, http.StatusOK).Body.String(); body != "[]" {
			t.Errorf("%s of an empty manager is %s, want []", at, body)
		}
	}
}

func TestInstancesShowsThisOne(t *testing.T) {
	t.Parallel()
	s := open(t)
	got := decode[[]struct {
		ID    string `json:"instance_id"`
		Pools []struct{ Name string }
	}](t, s.get("/instances", http.StatusOK))
	if len(got) != 1 || got[0].ID != s.m.Instance() || len(got[0].Pools) != 1 || got[0].Pools[0].Name != "default" {
		t.Errorf("got %+v", got)
	}
}

func TestAuditIsPaged(t *testing.T) {
	t.Parallel()
	s := open(t)
	for range 3 {
		s.do(http.MethodDelete, "/history?value=1&unit=day", http.StatusOK)
	}
	w := s.get("/audit?limit=2", http.StatusOK)
	if n := len(decode[[]auditEntry](t, w)); n != 2 {
		t.Fatalf("%d entries, want 2", n)
	}
	next := strings.TrimSuffix(strings.TrimPrefix(w.Header().Get("Link"), "<"), `>; rel="next"`)
	if n := len(decode[[]auditEntry](t, s.get("/audit"+next, http.StatusOK))); n != 1 {
		t.Errorf("%d entries on the second page, want 1", n)
	}
	s.get("/audit?limit=x", http.StatusBadRequest)
	s.get("/audit?cursor=x", http.StatusBadRequest)
}

func TestDeleteHistory(t *testing.T) {
	t.Parallel()
	old := taskflow.NewID(time.Now().Add(-3 * time.Hour))
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(ok, hold), taskflow.WithBackend(backendWith(t, old))})
	fresh := s.runOK()
	live := s.m.Add(taskflow.WorkOf(hold.With("")))
	got := decode[map[string]int](t, s.do(http.MethodDelete, "/history?value=1&unit=hour", http.StatusOK))
	if got["deleted"] != 1 || got["backend"] != 1 || got["store"] != 0 {
		t.Errorf("got %v, want one deleted", got)
	}
	s.get("/"+old, http.StatusNotFound)
	s.get("/"+fresh, http.StatusOK)
	s.get("/"+live.ID(), http.StatusOK)
	if trail := s.trail(); trail[0].Action != "delete_history" || trail[0].Detail["deleted"] != 1.0 || trail[0].Detail["unit"] != "hour" {
		t.Errorf("audit trail %+v", trail)
	}
}

func TestDeleteHistoryRefuses(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.runOK()
	for query, want := range map[string]int{
		"value=1&unit=week": http.StatusBadRequest, "value=1": http.StatusBadRequest, "": http.StatusBadRequest,
		"value=1&unit=day&dry=1": http.StatusBadRequest, "value=1&value=2&unit=day": http.StatusBadRequest,
		"unit=day": http.StatusUnprocessableEntity, "value=0&unit=day": http.StatusUnprocessableEntity,
		"value=-1&unit=day": http.StatusUnprocessableEntity, "value=1.5&unit=day": http.StatusUnprocessableEntity,
		"value=many&unit=day": http.StatusUnprocessableEntity,
	} {
		if detail(t, s.do(http.MethodDelete, "/history?"+query, want)) == "" {
			t.Errorf("?%s: no detail", query)
		}
	}
	for _, value := range []string{"99999999999999", "9223372036854775807", "99999999999999999999999999"} {
		if got := decode[map[string]int](t, s.do(http.MethodDelete, "/history?unit=day&value="+value, http.StatusOK)); got["deleted"] != 0 {
			t.Errorf("value=%s deleted %d", value, got["deleted"])
		}
	}
	s.get("/"+id, http.StatusOK)
}

// plain is a backend with the six methods only.
type plain struct{ taskflow.Backend }

func TestDeleteHistoryNeedsABackendThatCan(t *testing.T) {
	t.Parallel()
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithBackend(plain{memory.New()})})
	s.do(http.MethodDelete, "/history?value=1&unit=day", http.StatusNotImplemented)
}
