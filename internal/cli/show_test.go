package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestShow(t *testing.T) {
	t.Parallel()
	tl, s, _ := opened(t)
	tl.run("show", "redis://shop", s.failed.ID).want(t, exitOK, `
id         019ca8d7-2d00-7000-8000-000000000000
func       send_email
status     failed
added      2026-03-01 10:00:00
started    2026-03-01 10:00:00
ended      2026-03-01 10:00:01
duration   1.25s
retries    2 of 2
source     manual
pool       default
priority   5
tags       user=bob
run by     01a21356dfd5e26fefff
kind       submitted
arguments  24 bytes, shown with --args

error:
  dial tcp 10.0.0.7:25: connection refused

log (2 lines):
  2026-03-01T10:00:00.001Z INFO connecting to=bob@example.com
  2026-03-01T10:00:00.900Z WARN taskflow: attempt 1 failed: dial tcp 10.0.0.7:25: connection refused
`, "")
}

func TestShowTellsAttemptsRelativesProgressAndResult(t *testing.T) {
	t.Parallel()
	tl, s, b := opened(t)
	r := at(time.Hour, "import", taskflow.StatusFailed)
	r.Attempts, r.MaxRetries, r.Error, r.ParentID, r.Children = 2, 1, "gone", s.sent.ID, []string{s.waiting.ID, s.running.ID}
	r.Progress = &taskflow.ProgressReport{Done: 1200, Total: 5000, Unit: "rows", Message: "reading", UpdatedAt: r.EndTime}
	r.Result = json.RawMessage(`{"rows":1200}`)
	r.AttemptLog = []taskflow.Attempt{
		{Number: 1, StartedAt: r.StartTime, EndedAt: r.StartTime.Add(time.Second), Error: "busy", Wait: 0.5},
		{Number: 2, StartedAt: r.StartTime.Add(2 * time.Second), EndedAt: r.StartTime.Add(3 * time.Second), Error: "gone", Wait: 1},
	}
	must[int](t)(b.Save(t.Context(), []taskflow.Record{r}))
	got := tl.run("show", "redis://shop", r.ID)
	for _, part := range []string{
		"\nparent     " + s.sent.ID + "\n", "\nprogress   1,200 of 5,000 rows: reading\n", "\nresult:\n  {\"rows\":1200}\n",
		"\nattempts (2):\n  1  2026-03-01 11:00:00  waited 500ms, took 1s: busy\n  2  2026-03-01 11:00:02  waited 1s, took 1s: gone\n",
		"\nchildren (2):\n  " + s.waiting.ID + "\n  " + s.running.ID + "\n",
	} {
		if !strings.Contains(got.out, part) {
			t.Errorf("show lacks %q:\n%s", part, got.out)
		}
	}
	line := tl.run("show", "--json", "redis://shop", s.sent.ID).lines(t)[0]
	if log, _ := line["attempts_log"].([]any); len(log) != 1 {
		t.Errorf("--json of a single attempt has the attempts_log %v, want that attempt", line["attempts_log"])
	}
}

func TestShowGivesArgumentsOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	tl, s, _ := opened(t)
	const secret = "{\"to\":\"bob"
	for _, args := range [][]string{{}, {"--json"}} {
		if r := tl.run(append(args, "show", "redis://shop", s.failed.ID)...); strings.Contains(r.out, secret) {
			t.Errorf("%v: %s", args, r.out)
		}
	}
	if r := tl.run("show", "--args", "redis://shop", s.failed.ID); !strings.HasSuffix(r.out, "\narguments:\n  {\"to\":\"bob@example.com\"}\n") {
		t.Errorf("--args: %s", r.out)
	}
	if r := tl.run("show", "--json", "--args", "redis://shop", s.failed.ID); !strings.Contains(r.out, `"args":{"to":"bob@example.com"}`) {
		t.Errorf("--json --args: %s", r.out)
	}
	if _, has := tl.run("show", "--json", "redis://shop", s.failed.ID).lines(t)[0]["args"]; has {
		t.Error("--json has the arguments")
	}
}

func TestShowWhereverTheTaskIs(t *testing.T) {
	t.Parallel()
	tl, s, _ := opened(t)
	for _, tc := range []struct {
		record taskflow.Record
		parts  []string
	}{
		{s.closure, []string{"kind      a function without name", "error:\n  panic: assignment", "stack:\n  goroutine 7 [running]:\n      main.signup()"}},
		{s.waiting, []string{"not before  2026-03-01 13:00:00", "key         order 7"}},
		{s.running, []string{"held by    " + holder}},
		{s.memoryOnly, []string{"stored    no: it is in the memory of its instance only", "held by   " + holder}},
	} {
		r := tl.run("show", "redis://shop", tc.record.ID)
		if r.code != exitOK || r.err != "" {
			t.Errorf("%s: %+v", tc.record.Name, r)
		}
		for _, part := range tc.parts {
			if !strings.Contains(r.out, part) {
				t.Errorf("%s lacks %q:\n%s", tc.record.Name, part, r.out)
			}
		}
		if line := tl.run("show", "--json", "redis://shop", tc.record.ID).lines(t)[0]; line["task_id"] != tc.record.ID {
			t.Errorf("--json: %v", line)
		}
	}
}

func TestShowOfNothing(t *testing.T) {
	t.Parallel()
	tl, _, _ := opened(t)
	for id, want := range map[string]string{
		"0190ffff-0000-7000-8000-000000000000": "there is no task of this id",
		"42":                                   `"42" is no task id: they look like 01890a5d-`,
		"\x1b[31m":                             `\x1b[31m`,
	} {
		if r := tl.run("show", "redis://shop", id); r.code != exitFailed || !strings.Contains(r.err, want) || strings.Contains(r.err, "\x1b") || r.out != "" {
			t.Errorf("%q: %+v", id, r)
		}
	}
}

func TestStats(t *testing.T) {
	t.Parallel()
	tl, _, _ := opened(t)
	tl.run("stats", "redis://shop").want(t, exitOK, `
pending       1
running       1
success       1
failed        2
interrupted   1
cancelled     1
total         7
success rate  33.3 %
average       1.25s
p50           1.31s
p95           1.31s
p99           1.31s
`, "")
	tl.run("stats", "--json", "redis://shop").want(t, exitOK,
		`{"total":7,"pending":1,"running":1,"success":1,"failed":2,"interrupted":1,"cancelled":1,"success_rate":0.3333333333333333,`+
			`"avg_duration_seconds":1.25,"percentiles":{"p50":1.3107199999999999,"p90":1.3107199999999999,"p95":1.3107199999999999,"p99":1.3107199999999999}}`, "")
}

func TestStatsSince(t *testing.T) {
	t.Parallel()
	tl, _, _ := opened(t)
	r := tl.run("stats", "--since", "95m", "redis://shop")
	for _, line := range []string{"pending       1\n", "running       1\n", "success       0\n", "failed        0\n", "cancelled     1\n", "total         4\n"} {
		if r.code != exitOK || !strings.Contains(r.out, line) {
			t.Errorf("lacks %q: %+v", line, r)
		}
	}
}

func TestStatsOfNothing(t *testing.T) {
	t.Parallel()
	tl := newTool(t)
	if r := tl.run("stats", "redis://shop"); r.code != exitOK || !strings.Contains(r.out, "success rate  -\naverage       -\np50           -\n") {
		t.Errorf("%+v", r)
	}
}

func TestInstances(t *testing.T) {
	t.Parallel()
	tl, _, b := opened(t)
	late := taskflow.Instance{ID: "01a21356e01c774bbcce", DegradedSince: noon.Add(-5 * 60e9)}
	noError(t, b.Join(t.Context(), late, 1e9))
	tl.run("instances", "redis://shop").want(t, exitOK, `
INSTANCE              HOST   PID   PROGRAM  VERSION  STARTED              SEEN    RUNNING  WAITING  NOTE
01a21356dfd5e26fefff  web-1  4711  shop     v1.4.0   2026-02-28 12:00:00  3s ago  2        1        -
01a21356e01c774bbcce  -      0     -        -        -                    3s ago  0        0        cannot write since 2026-03-01 11:55:00
`, "")
	lines := tl.run("instances", "--json", "redis://shop").lines(t)
	if len(lines) != 2 || lines[0]["instance_id"] != holder || lines[0]["running"] != 2.0 || lines[0]["last_seen"] != "2026-03-01T11:59:57Z" {
		t.Errorf("--json: %v", lines)
	}
	tl.now = noon.Add(20e9)
	if r := tl.run("instances", "redis://shop"); strings.Count(r.out, "23s ago") != 2 || strings.Count(r.out, "overdue") != 2 {
		t.Errorf("after the lease: %s", r.out)
	}
}

func TestInstancesOfNothing(t *testing.T) {
	t.Parallel()
	tl := newTool(t)
	tl.run("instances", "redis://shop").want(t, exitOK, "", "No instance is running.")
	tl.run("instances", "--json", "redis://shop").want(t, exitOK, "", "")
}
