package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestListShowsEverythingNewestFirst(t *testing.T) {
	t.Parallel()
	tl, _, _ := opened(t)
	tl.run("list", "redis://shop").want(t, exitOK, `
ID                                    STATUS       FUNC              ADDED                DURATION  RETRIES  NOTE
019ca93b-e240-7000-8000-000000000000  running      web/signup.go:57  2026-03-01 11:50:00  -         0        held by 01a21356dfd5e26fefff
019ca932-ba80-7000-8000-000000000000  running      report            2026-03-01 11:40:00  -         0        held by 01a21356dfd5e26fefff
019ca929-92c0-7000-8000-000000000000  pending      resize            2026-03-01 11:30:00  -         0        not before 2026-03-01 13:00:00
019ca8fb-cc00-7000-8000-000000000000  interrupted  report            2026-03-01 10:40:00  1.25s     0        task interrupted: the process ended while it ran
019ca8f2-a440-7000-8000-000000000000  cancelled    resize            2026-03-01 10:30:00  -         0        task cancelled: not needed
019ca8e9-7c80-7000-8000-000000000000  failed       web/signup.go:42  2026-03-01 10:20:00  1.25s     0        panic: assignment to entry in nil map
019ca8d7-2d00-7000-8000-000000000000  failed       send_email        2026-03-01 10:00:00  1.25s     2        dial tcp 10.0.0.7:25: connection refused
019ca8a0-3e80-7000-8000-000000000000  success      send_email        2026-03-01 09:00:00  1.25s     0        -
`, "")
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	tl, s, _ := opened(t)
	for flags, want := range map[string]string{
		"--status failed":                  ids(s.closure, s.failed),
		"--status failed,success":          ids(s.closure, s.failed, s.sent),
		"--status failed --status success": ids(s.closure, s.failed, s.sent),
		"--status running":                 ids(s.memoryOnly, s.running),
		"--status pending":                 ids(s.waiting),
		"--func send_email":                ids(s.failed, s.sent),
		"--q CONNECTION":                   ids(s.failed),
		"--q " + s.sent.ID:                 ids(s.sent),
		"--tag user":                       ids(s.failed, s.sent),
		"--tag user=bob":                   ids(s.failed),
		"--tag user=ada --tag source":      ids(s.sent),
		"--tag user=nobody":                ids(),
		"--source retry":                   ids(),
		"--since 85m --status interrupted": ids(s.interrupted),
		"--since 85m --until 15m":          ids(s.running, s.waiting, s.interrupted),
		"--until 2026-03-01T10:00:00Z":     ids(s.sent),
		"--since 2026-03-01 --until 2h30m": ids(s.sent),
		"--limit 2":                        ids(s.memoryOnly, s.running),
	} {
		t.Run(flags, func(t *testing.T) {
			t.Parallel()
			r := tl.run(append(append([]string{"list", "--json"}, strings.Fields(flags)...), "redis://shop")...)
			var got []string
			for _, line := range r.lines(t) {
				got = append(got, fmt.Sprint(line["task_id"]))
			}
			if fmt.Sprint(got) != want || r.code != exitOK {
				t.Errorf("exit code %d, %v, want 0, %s\n%s", r.code, got, want, r.err)
			}
		})
	}
}

func TestListSaysThatThereIsMore(t *testing.T) {
	t.Parallel()
	tl, _, _ := opened(t)
	if r := tl.run("list", "--limit", "7", "redis://shop"); strings.Count(r.out, "\n") != 8 || !strings.Contains(r.err, "There are more") {
		t.Errorf("--limit 7 of 8: %+v", r)
	}
	if r := tl.run("list", "--limit", "8", "redis://shop"); strings.Count(r.out, "\n") != 9 || r.err != "" {
		t.Errorf("--limit 8 of 8: %+v", r)
	}
	if r := tl.run("list", "--limit", "1", "--all", "redis://shop"); strings.Count(r.out, "\n") != 9 || r.err != "" {
		t.Errorf("--all: %+v", r)
	}
	tl.run("list", "--func", "none", "redis://shop").want(t, exitOK, "", "No task matches.")
	tl.run("list", "--func", "none", "--json", "redis://shop").want(t, exitOK, "", "")
}

func TestListLeavesLargePartsOut(t *testing.T) {
	t.Parallel()
	tl, _, _ := opened(t)
	for _, line := range tl.run("list", "--json", "redis://shop").lines(t) {
		if _, has := line["args"]; has || fmt.Sprint(line["logs"]) != "[]" || line["stacktrace"] != nil {
			t.Errorf("%v has arguments, log or stack", line)
		}
	}
}

// TestListGoesThroughAllPages: each task comes once, in order, whichever stores and pages they are in.
func TestListGoesThroughAllPages(t *testing.T) {
	t.Parallel()
	tl := newTool(t)
	b := tl.store("redis://shop")
	var finished, unfinished []taskflow.Record
	var want []string
	for n := range 400 {
		r := at(time.Duration(n)*time.Second, "f", taskflow.StatusSuccess)
		if n%7 == 3 || n > 350 {
			r.Status, r.EndTime = taskflow.StatusPending, time.Time{}
			unfinished = append(unfinished, r)
		} else {
			finished = append(finished, r)
		}
		want = append(want, r.ID)
	}
	must[int](t)(b.Save(t.Context(), finished))
	noError(t, b.PutPending(t.Context(), unfinished))
	for _, page := range []int{1, 7, 100, pageSize} {
		var got []string
		for r, err := range tasks(t.Context(), b, selection{}, page) {
			noError(t, err)
			got = append(got, r.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: %d tasks, want %d, in order", page, len(got), len(want))
		}
	}
}

// movesOn is a backend in which a task ends between the two questions of a page.
type movesOn struct {
	storage
	ending taskflow.Record
}

func (m movesOn) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	if _, err := m.Save(ctx, []taskflow.Record{m.ending}); err != nil {
		return taskflow.Page{}, err
	}
	return m.storage.Query(ctx, q)
}

func TestListShowsATaskThatEndsMeanwhileOnce(t *testing.T) {
	t.Parallel()
	tl, s, _ := opened(t)
	ending := s.running
	ending.Status, ending.EndTime = taskflow.StatusSuccess, noon
	tl.wrap = func(b storage) storage { return movesOn{b, ending} }
	r := tl.run("list", "--json", "--func", "report", "redis://shop")
	if lines := r.lines(t); len(lines) != 2 || lines[0]["task_id"] != ending.ID || lines[0]["status"] != "success" {
		t.Errorf("%+v", r)
	}
}

func TestListIsSafeForATerminal(t *testing.T) {
	t.Parallel()
	tl := newTool(t)
	r := at(time.Hour, "evil\x1b]0;title\a", taskflow.StatusFailed)
	r.Error = "first\nsecond\t\x1b[31mred\u202e" + strings.Repeat("é", 100)
	must[int](t)(tl.store("redis://shop").Save(t.Context(), []taskflow.Record{r}))
	for _, args := range [][]string{{"list", "redis://shop"}, {"show", "redis://shop", r.ID}} {
		got := tl.run(args...)
		if strings.ContainsAny(got.out, "\x1b\a\u202e\t") {
			t.Errorf("%v: %q", args, got.out)
		}
		if !strings.Contains(got.out, `evil\x1b]0;title\x07`) || !strings.Contains(got.out, `\x1b[31mred\u202eé`) {
			t.Errorf("%v does not show what was there:\n%s", args, got.out)
		}
	}
}

func TestListEndsWithItsContext(t *testing.T) {
	t.Parallel()
	tl, _, _ := opened(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tl.runWith(ctx, "list", "redis://shop").want(t, exitFailed, "", "taskflow list: interrupted")
}

// away is a backend that cannot be reached.
type away struct{ storage }

var errAway = errors.New("redis: query: dial tcp: connection refused")

func (away) Query(context.Context, taskflow.Query) (taskflow.Page, error) {
	return taskflow.Page{}, errAway
}
func (away) Get(context.Context, string) (taskflow.Record, error) {
	return taskflow.Record{}, errAway
}
func (away) Stats(context.Context) (taskflow.Stats, error)          { return taskflow.Stats{}, errAway }
func (away) Instances(context.Context) ([]taskflow.Instance, error) { return nil, errAway }
func (away) Expire(context.Context) ([]string, error)               { return nil, errAway }
func (away) Count(context.Context, taskflow.Filter, int) (int, bool, error) {
	return 0, false, errAway
}
func (away) DeleteBefore(context.Context, time.Time) (int, error) { return 0, errAway }

func TestABackendThatIsAwayIsAnError(t *testing.T) {
	t.Parallel()
	tl, s, _ := opened(t)
	tl.wrap = func(b storage) storage { return away{b} }
	for _, line := range []string{
		"list", "list --json", "show ID", "stats", "instances", "retry ID", "retry --status failed", "retry --status failed --yes", "cancel ID",
		"prune --older 1h", "prune --older 1h --yes",
	} {
		words := strings.Fields(line)
		args := []string{words[0], "redis://shop"}
		for _, w := range words[1:] {
			args = append(args, strings.ReplaceAll(w, "ID", s.sent.ID))
		}
		if r := tl.run(args...); r.code != exitFailed || !strings.Contains(r.err, "connection refused") || r.out != "" {
			t.Errorf("%s: %+v", line, r)
		}
	}
}

func TestListByPriorityAndInstance(t *testing.T) {
	t.Parallel()
	tl, s, _ := opened(t)
	for flags, want := range map[string][]taskflow.Record{
		"--priority 5":                 {s.failed},
		"--instance " + holder:         {s.memoryOnly, s.running, s.failed},
		"--instance nobody":            nil,
		"--priority 0 --status failed": {s.closure},
	} {
		var got []taskflow.Record
		for _, line := range tl.run(strings.Fields("list --json --limit 3 " + flags + " redis://shop")...).lines(t) {
			got = append(got, taskflow.Record{ID: line["task_id"].(string)})
		}
		if ids(got...) != ids(want...) {
			t.Errorf("%s: %v, want %v", flags, ids(got...), ids(want...))
		}
	}
}
