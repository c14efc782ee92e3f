package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/backendurl"
)

const notCopied = `not copied:
  idempotency keys: a request that is repeated after the move adds its task once more
  schedule slots: a schedule whose moment comes during the move may fire on both
  secrets: users of the dashboard sign in again
  shared state: what was switched on the dashboard, like a schedule that is paused, is to be switched again
  counters of the charts: they begin anew
  tasks that live in the memory of an instance only: stop the program that uses the source first
`

func TestMigrateSaysWhatItDid(t *testing.T) {
	t.Parallel()
	tl, s := newTool(t), newShop()
	s.running.Owner = "" // its instance is gone
	from, to := tl.store("redis://from"), tl.store("redis://to")
	s.fill(t, from)
	noError(t, from.AppendAudit(t.Context(), taskflow.AuditEntry{ID: lowestID(noon), Action: "login", Actor: "ada"}))
	tl.run("migrate", "redis://from", "redis://to").want(t, exitOK, `
             COPIED  THERE ALREADY  FAILED
history      5       0              0
unfinished   2       0              0
audit trail  1       0              0
TO has 2 unfinished tasks that FROM has still: start no program on FROM any more, it would run them too
`+notCopied, "")
	for _, load := range []func(*memory.Backend) ([]taskflow.Record, error){
		func(b *memory.Backend) ([]taskflow.Record, error) {
			p, err := b.Query(t.Context(), taskflow.Query{Limit: 100, Full: true})
			return p.Records, err
		},
		func(b *memory.Backend) ([]taskflow.Record, error) {
			p, err := b.QueryPending(t.Context(), taskflow.Query{Limit: 100, Full: true})
			return p.Records, err
		},
	} {
		if got, want := must[[]taskflow.Record](t)(load(to)), must[[]taskflow.Record](t)(load(from)); len(got) < 2 || !reflect.DeepEqual(got, want) {
			t.Errorf("the target has\n%+v\nwant\n%+v", got, want)
		}
	}
	r := tl.run("migrate", "--json", "redis://from", "redis://to")
	r.want(t, exitOK, `{"history":{"copied":0,"skipped":5,"failed":0},"unfinished":{"copied":0,"skipped":2,"failed":0},"audit":{"copied":0,"skipped":1,"failed":0},`+
		`"failures":[],"unread":0,"finished":true,"not_copied":["idempotency keys: a request that is repeated after the move adds its task once more",`+
		`"schedule slots: a schedule whose moment comes during the move may fire on both","secrets: users of the dashboard sign in again","shared state: what was switched on the dashboard, like a schedule that is paused, is to be switched again","counters of the charts: they begin anew",`+
		`"tasks that live in the memory of an instance only: stop the program that uses the source first"]}`, "")
}

func TestMigrateRefusesWhatARunningInstanceHolds(t *testing.T) {
	t.Parallel()
	tl, _, _ := opened(t)
	tl.run("migrate", "redis://shop", "redis://to").want(t, exitFailed, "",
		"taskflow migrate: running instances hold 1 unfinished task of FROM: 01a21356dfd5e26fefff (shop on web-1, process 4711). "+
			"Stop them first. --history copies all but the unfinished tasks meanwhile; with --force those are copied too, and may run on both sides. Nothing was copied")
	if n := len(must[[]taskflow.Record](t)(tl.store("redis://to").Load(t.Context()))); n != 0 {
		t.Errorf("%d records were copied", n)
	}
	r := tl.run("migrate", "--history", "redis://shop", "redis://to")
	if r.code != exitOK || !strings.Contains(r.out, "history      5       0              0\nunfinished   0       0              0\n") ||
		!strings.Contains(r.out, "the unfinished tasks were left out: copy again without --history\n") {
		t.Errorf("--history: %+v", r)
	}
	r = tl.run("migrate", "--force", "redis://shop", "redis://to")
	if r.code != exitOK || !strings.Contains(r.out, "1 instance is running on FROM: what is added or ends there from now on is not copied.") {
		t.Errorf("--force: %+v", r)
	}
}

func TestMigrateListsWhatFails(t *testing.T) {
	t.Parallel()
	tl := newTool(t)
	var all []taskflow.Record
	for n := range 120 {
		all = append(all, at(time.Duration(n)*time.Second, "f", taskflow.StatusSuccess))
	}
	must[int](t)(tl.store("redis://from").Save(t.Context(), all))
	tl.wrap = func(b storage) storage { return everyOther{b} }
	r := tl.run("migrate", "redis://from", "redis://to")
	if r.code != exitFailed || !strings.Contains(r.out, "history      60      0              60\n") || r.err != "" {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(r.out, "failed: "+all[1].ID+": disk full\\x1b; twice\n") || strings.Count(r.out, "failed: ") != shownFailures ||
		!strings.Contains(r.out, "and 10 more; --json lists them all\n") {
		t.Errorf("the failures are shown as\n%s", r.out)
	}
	tl.stores = map[string]*memory.Backend{"redis://from": tl.stores["redis://from"]}
	line := tl.run("migrate", "--json", "redis://from", "redis://to").lines(t)[0]
	if failures, ok := line["failures"].([]any); !ok || len(failures) != 60 || line["finished"] != true {
		t.Errorf("--json: %v", line)
	}
}

// everyOther is a backend that does not take records of an odd second.
type everyOther struct{ storage }

func (e everyOther) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	for _, r := range records {
		if r.CreatedAt.Unix()%2 != 0 {
			return 0, errors.New("disk full\x1b\n\ttwice")
		}
	}
	return e.storage.Save(ctx, records)
}

func TestMigrateTellsOfUnreadRows(t *testing.T) {
	t.Parallel()
	tl, s := newTool(t), newShop()
	must[int](t)(tl.store("redis://from").Save(t.Context(), s.finished()))
	tl.wrap = func(b storage) storage { return countsMore{b} }
	r := tl.run("migrate", "redis://from", "redis://to")
	if r.code != exitFailed || !strings.Contains(r.out, "not found: 1 finished task that FROM counts; deleted meanwhile, or unreadable") {
		t.Errorf("%+v", r)
	}
}

// countsMore is a backend with a row that it counts and cannot read.
type countsMore struct{ storage }

func (c countsMore) Stats(ctx context.Context) (taskflow.Stats, error) {
	s, err := c.storage.Stats(ctx)
	s.Counts[taskflow.StatusFailed]++
	return s, err
}

// files returns a tool that works on SQLite files.
func files(t *testing.T) (tl *tool, from, to string) {
	t.Helper()
	tl = newTool(t)
	tl.app.open[backendurl.SQLite] = func(u backendurl.URL, log *slog.Logger, _ bool) (storage, error) {
		b := sqlite.Open(u.Path(), sqlite.Logger(log))
		noError(t, b.Open(t.Context()))
		t.Cleanup(func() { _ = b.Close() })
		return tl.wrap(notOpener{b}), nil
	}
	dir := t.TempDir()
	return tl, filepath.Join(dir, "from.db"), filepath.Join(dir, "to.db")
}

// notOpener is open already.
type notOpener struct{ storage }

// seed stores something in a file.
func seed(t *testing.T, path string, f func(*sqlite.Backend)) {
	t.Helper()
	b := sqlite.Open(path, sqlite.Logger(slog.New(slog.DiscardHandler)))
	noError(t, b.Open(t.Context()))
	f(b)
	noError(t, b.Close())
}

// TestMigrateTenThousandInterrupted: Ctrl-C in the middle; the second run goes on, and nothing is there twice or missing.
func TestMigrateTenThousandInterrupted(t *testing.T) {
	t.Parallel()
	const finished, unfinished, together = 10_000, 500, 1000
	tl, from, to := files(t)
	var total taskflow.Stats
	seed(t, from, func(b *sqlite.Backend) {
		var batch []taskflow.Record
		for n := range finished + unfinished {
			status := taskflow.StatusSuccess
			if n%3 == 0 {
				status = taskflow.StatusFailed
			}
			if n >= finished {
				status = taskflow.StatusPending
			}
			r := at(time.Duration(n)*time.Second, fmt.Sprint("task", n%5), status)
			if n%100 == 99 { // what costs most to store
				r.Tags, r.Logs, r.LogCount = map[string]string{"n": fmt.Sprint(n % 50)}, []string{"a line"}, 1
			}
			batch = append(batch, r)
			total.Add(&r)
			if len(batch) == together || n == finished-1 || n == finished+unfinished-1 {
				if n < finished {
					must[int](t)(b.Save(t.Context(), batch))
				} else {
					noError(t, b.PutPending(t.Context(), batch))
				}
				batch = batch[:0]
			}
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tl.wrap = func(b storage) storage { return stopsSaving{b, new(40), cancel} }
	r := tl.runWith(ctx, "migrate", from, to)
	if r.code != exitFailed || !strings.Contains(r.out, "history      4,000   0              0\n") ||
		!strings.HasSuffix(r.err, "It is not finished. Run the same command again: it goes on and doubles nothing.\ntaskflow migrate: interrupted\n") {
		t.Fatalf("interrupted: %+v", r)
	}
	tl.wrap = func(b storage) storage { return b }
	r = tl.run("migrate", from, to)
	if r.code != exitOK || !strings.Contains(r.out, "history      6,000   4,000          0\nunfinished   500     0              0\n") {
		t.Fatalf("again: %+v", r)
	}
	if got, want := tl.run("list", "--all", "--json", to), tl.run("list", "--all", "--json", from); got != want || strings.Count(got.out, "\n") != finished+unfinished {
		t.Errorf("the lists differ: %d and %d tasks", strings.Count(got.out, "\n"), strings.Count(want.out, "\n"))
	}
	if got, want := tl.run("stats", to), tl.run("stats", from); got != want || !strings.Contains(got.out, "total         10,500\n") {
		t.Errorf("the totals differ:\n%s\n%s", got.out, want.out)
	}
	last := lowestID(noon.Add(-(finished - 1) * time.Second))
	if got, want := tl.run("show", "--args", to, last), tl.run("show", "--args", from, last); got != want || !strings.Contains(got.out, "a line") {
		t.Errorf("a task differs:\n%s\n%s", got.out, want.out)
	}
}

// stopsSaving is a backend whose user presses Ctrl-C at the given number of Save.
type stopsSaving struct {
	storage
	left *int
	stop context.CancelFunc
}

func (s stopsSaving) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	n, err := s.storage.Save(ctx, records)
	if *s.left--; *s.left == 0 {
		s.stop()
	}
	return n, err
}

func TestMigrateOfAFileThatIsMissing(t *testing.T) {
	t.Parallel()
	tl, from, to := files(t)
	tl.run("migrate", from, to).want(t, exitFailed, "", "taskflow migrate: FROM: there is no file "+from+": check the path; this command creates none")
	if r := tl.run("list", to); r.code != exitFailed || !strings.Contains(r.err, "there is no file "+to) {
		t.Errorf("a file was created: %+v", r)
	}
	noError(t, os.WriteFile(to, nil, 0o600))
	for path, want := range map[string]string{to: "is empty: it is no database of taskflow", filepath.Dir(to): "is a folder: give the path of the file"} {
		if r := tl.run("stats", path); r.code != exitFailed || !strings.Contains(r.err, want) {
			t.Errorf("%s: %+v", path, r)
		}
	}
	if content := must[[]byte](t)(os.ReadFile(to)); len(content) != 0 {
		t.Errorf("an empty file got %d bytes", len(content))
	}
}
