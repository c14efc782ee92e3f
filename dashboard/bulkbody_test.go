package dashboard_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Who looks at the trail later must see what was deleted, not only how much.
func TestTheTrailNamesWhatAnOperationWasDoneTo(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.runFail()
	many := make([]string, 150)
	for i := range many {
		many[i] = taskflow.NewID(time.Now())
	}
	for body, want := range map[string]string{
		`{"action":"delete","task_ids":` + quoted(a) + `}`: `{"action":"delete","by":"ids","matched":1,"task_ids":` + quoted(a) + `}`,
		`{"action":"delete","filter":{"status":"success","func_name":"ok","since":"6h","priority":0,"tag":["user:7","a"]}}`: `{"action":"delete","by":"filter","filter":` +
			`{"func_name":["ok"],"priority":["0"],"since":["6h"],"status":["success"],"tag":["a","user:7"]},"matched":0}`,
		`{"action":"cancel","filter":{}}`:                                                          `{"action":"cancel","by":"filter","filter":{},"matched":0}`,
		`{"action":"delete","task_ids":` + quoted(many...) + `}`:                                   `{"action":"delete","by":"ids","matched":150,"task_ids":` + quoted(many[:100]...) + `}`,
		`{"action":"delete","task_ids":["` + strings.Repeat("x", 100_000) + `"]}`:                  `{"action":"delete","by":"ids","matched":1,"task_ids":["` + strings.Repeat("x", 64) + `"]}`,
		`{"action":"delete","filter":{"func_name":"x","status":["failed"` + manyStatuses() + `]}}`: "",
	} {
		id := s.ended(s.begin(body).ID).ID
		for _, e := range decode[[]auditEntry](t, s.get("/audit", http.StatusOK)) {
			if e.Action != "operation_start" || e.Detail["operation_id"] != id {
				continue
			}
			delete(e.Detail, "operation_id")
			got, err := json.Marshal(e.Detail)
			if err != nil || want != "" && string(got) != want || len(got) > 8<<10 {
				t.Errorf("%.200s is in the trail as %.300s (%d bytes), want %s", body, got, len(got), want)
			}
		}
	}
}

// manyStatuses are a thousand ways to say one status.
func manyStatuses() string {
	var b strings.Builder
	for i := range 1000 {
		b.WriteString(`,"` + strings.Repeat(" ", i%190) + "failed" + strings.Repeat(",", i/190) + `"`)
	}
	return b.String()
}

// A body that is not as expected is answered in the words of JSON, and names the member.
func TestABodyOfAnotherShape(t *testing.T) {
	t.Parallel()
	s := open(t)
	for body, want := range map[string]string{
		`{"action":"retry","filter":{"status":{"failed":true}}}`: "filter.status is an object; a list of texts is wanted",
		`{"action":"retry","filter":{"status":[7]}}`:             "filter.status is a number; a text is wanted",
		`{"action":"retry","filter":{"tag":true}}`:               "filter.tag is true or false; a list of texts is wanted",
		`{"action":"retry","filter":{"func_name":["a"]}}`:        "filter.func_name is a list; a text is wanted",
		`{"action":"retry","filter":{"priority":[]}}`:            "filter.priority is a list; a number is wanted",
		`{"action":"retry","filter":{"priority":"high"}}`:        "a text stands where a number is wanted",
		`{"action":"retry","filter":"all"}`:                      "filter is a text; an object is wanted",
		`{"action":"retry","task_ids":7}`:                        "task_ids is a number; a list of texts is wanted",
		`{"action":"retry","dry_run":"yes","task_ids":[]}`:       "dry_run is a text; true or false is wanted",
		`{"action":"retry","spread_seconds":"9","task_ids":[]}`:  "spread_seconds is a text; a number is wanted",
		`[]`: "it is a list; an object is wanted",
		`{"action":"retry","filter":{"stauts":["failed"]}}`: `unknown member "stauts"`,
	} {
		if got := detail(t, s.post("/bulk", http.StatusUnprocessableEntity, jsonBody(body))); !strings.HasSuffix(got, ": "+want) {
			t.Errorf("%s: %s, want it to end with %q", body, got, want)
		}
	}
	for _, body := range []string{`{"action":"retry","task_ids":"nobody","dry_run":true}`, `{"action":"retry","filter":{"status":"failed","source":"manual","tag":"a:b"},"dry_run":true}`} {
		s.post("/bulk", http.StatusOK, jsonBody(body))
	}
}
