package dashboard_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestExportHasEveryTaskOnce(t *testing.T) {
	t.Parallel()
	b, now := memory.New(), time.Now()
	var records []taskflow.Record
	for i := range 2500 {
		r := failedAt(now, time.Minute+time.Duration(i)*time.Second, "fail", "broken")
		r.Priority = i % 2
		records = append(records, r)
	}
	if _, err := b.Save(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(b)})
	for query, want := range map[string]int{"": 2500, "&func_name=nobody": 0, "&priority=1": 1250, "&since=" + now.Add(-10*time.Minute).UTC().Format(time.RFC3339Nano): 541} {
		for format, read := range map[string]func(string) []string{"csv": csvIDs, "json": jsonIDs, "ndjson": ndjsonIDs} {
			w := s.get("/export?format="+format+query, http.StatusOK)
			got := read(w.Body.String())
			seen := map[string]bool{}
			for _, id := range got {
				seen[id] = true
			}
			if len(got) != want || len(seen) != want {
				t.Errorf("%s%s: %d tasks, %d different; want %d", format, query, len(got), len(seen), want)
			}
			if name := w.Header().Get("Content-Disposition"); !strings.HasPrefix(name, `attachment; filename="tasks-`) || !strings.HasSuffix(name, "."+format+`"`) {
				t.Errorf("%s: Content-Disposition %q", format, name)
			}
		}
	}
	for _, query := range []string{"", "?format=xml", "?format=csv&format=json", "?format=csv&limit=3"} {
		detail(t, s.get("/export"+query, http.StatusBadRequest))
	}
}

func csvIDs(text string) (ids []string) {
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || lines[0][0] != "task_id" {
		return nil
	}
	for _, l := range lines[1:] {
		ids = append(ids, l[0])
	}
	return ids
}

func jsonIDs(text string) (list []string) {
	var all []task
	if json.Unmarshal([]byte(text), &all) != nil {
		return []string{"no JSON"}
	}
	return ids(all)
}

func ndjsonIDs(text string) (ids []string) {
	for line := range strings.Lines(text) {
		var v task
		if json.Unmarshal([]byte(line), &v) != nil {
			return []string{"no JSON"}
		}
		ids = append(ids, v.ID)
	}
	return ids
}

func TestExportedCellsAreNoFormulas(t *testing.T) {
	t.Parallel()
	b := memory.New()
	var records []taskflow.Record
	hostile := []string{`=cmd|' /C calc'!A0`, "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "a\n=1", "\n=1", "＝1", `"quoted", with, commas`, "plain"}
	for i, text := range hostile {
		r := failedAt(time.Now(), time.Duration(i)*time.Second, text, text)
		r.Tags, r.Key, r.Priority = map[string]string{text: text}, text, -7
		records = append(records, r)
	}
	if _, err := b.Save(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(b)})
	lines, err := csv.NewReader(strings.NewReader(s.get("/export?format=csv", http.StatusOK).Body.String())).ReadAll()
	if err != nil || len(lines) != len(hostile)+1 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	column := map[string]int{}
	for i, name := range lines[0] {
		column[name] = i
	}
	for i, line := range lines[1:] {
		for name, at := range column {
			if cell := line[at]; cell != "" && strings.ContainsAny(string([]rune(cell)[:1]), "=+-@\t\r\n＝") && name != "priority" {
				t.Errorf("%s begins like a formula: %q", name, cell)
			}
		}
		// a reader of CSV turns \r\n into \n; nothing else is lost
		if got := strings.TrimPrefix(line[column["error"]], "'"); got != hostile[i] {
			t.Errorf("the error %q comes out as %q", hostile[i], got)
		}
		if line[column["priority"]] != "-7" {
			t.Errorf("a number comes out as %q", line[column["priority"]])
		}
	}
}

// failsLater answers the first query only.
type failsLater struct {
	*memory.Backend

	queries atomic.Int32
}

func (f *failsLater) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	if f.queries.Add(1) > 1 {
		return taskflow.Page{}, errors.New("connection reset by db.internal")
	}
	return f.Backend.Query(ctx, q)
}

func TestExportThatBreaksOffShowsIt(t *testing.T) {
	t.Parallel()
	for format, broken := range map[string]func(string) bool{
		"csv": func(text string) bool {
			_, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			return errors.Is(err, csv.ErrFieldCount) && strings.Contains(text, "incomplete")
		},
		"json":   func(text string) bool { return !json.Valid([]byte(text)) },
		"ndjson": func(text string) bool { return strings.HasSuffix(text, "}\n") && strings.Contains(text, `{"error":"`) },
	} {
		b := &failsLater{Backend: memory.New()}
		var records []taskflow.Record
		for i := range 1001 {
			records = append(records, failedAt(time.Now(), time.Duration(i)*time.Second, "fail", "x"))
		}
		if _, err := b.Save(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(b)})
		r := newRequest(t.Context(), http.MethodGet, "/export?format="+format, nil)
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, r)
		text := w.Body.String()
		if !broken(text) || strings.Contains(text, "db.internal") {
			t.Errorf("%s ends with %q, want it to show that it is incomplete", format, text[max(len(text)-100, 0):])
		}
		s.get("/export?format="+format, http.StatusInternalServerError) // before anything was sent there is an answer
	}
}
