package backendtest

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestMain(m *testing.M) {
	// the failures below are wanted: no need to make them small, nor to keep them
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "1ms"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// brokenBackend breaks one promise; the topic beside it must notice.
type brokenBackend struct {
	name, topic string
	wrap        func(*memory.Backend) taskflow.Backend
}

// impatience is how long what a broken backend never does is waited for.
const impatience = 300 * time.Millisecond

func brokenBackends() []brokenBackend {
	return []brokenBackend{
		{"loses the stack", "history/every field comes back", func(b *memory.Backend) taskflow.Backend {
			return &onSave{b, func(r *taskflow.Record) { r.Stack = "" }}
		}},
		{"invents a log", "history/a record without values comes back", func(b *memory.Backend) taskflow.Backend {
			return &onSave{b, func(r *taskflow.Record) { r.Logs = append(r.Logs, "") }}
		}},
		{"keeps seconds only", "times/of finished tasks come back in UTC", func(b *memory.Backend) taskflow.Backend {
			return &onSave{b, func(r *taskflow.Record) { r.EndTime = r.EndTime.Truncate(time.Second) }}
		}},
		{"returns local times", "times/of finished tasks come back in UTC", func(b *memory.Backend) taskflow.Backend { return &localTimes{b} }},
		{"inserts only", "history/saving again replaces", func(b *memory.Backend) taskflow.Backend { return &insertsOnly{Backend: b} }},
		{"returns duplicates", "history/saving again replaces", func(b *memory.Backend) taskflow.Backend { return &duplicates{b} }},
		{"refuses nothing", "history/saving nothing is fine", func(b *memory.Backend) taskflow.Backend { return &refusesNothing{b} }},
		{"forgets at Close", "history/survives a restart", func(b *memory.Backend) taskflow.Backend { return b }},
		{"forgets at Close", "journal/survives a restart", func(b *memory.Backend) taskflow.Backend { return b }},
		{"counts from one", "stats/of nothing", func(b *memory.Backend) taskflow.Backend { return &countsFromOne{b} }},
		{"crashes unopened", "close/before open is fine", func(b *memory.Backend) taskflow.Backend { return &needsOpen{b} }},
		{"works unopened", "close/methods fail before open", func(b *memory.Backend) taskflow.Backend { return &needsOpen{b} }},
		{"mixes the stores", "history/stays apart from pending", func(b *memory.Backend) taskflow.Backend { return &mixes{b} }},
		{"starts with old data", "history/a new backend is empty", func(b *memory.Backend) taskflow.Backend { return &hasOldData{b} }},
		{"appends snapshots", "pending/saving again replaces all", func(b *memory.Backend) taskflow.Backend { return &appendsSnapshots{b} }},
		{"loses arguments", "pending/every field but the owner comes back", func(b *memory.Backend) taskflow.Backend { return &losesArgs{b} }},
		{"clears nothing", "pending/clearing removes all", func(b *memory.Backend) taskflow.Backend { return &clearsNothing{b} }},
		{"keeps owners", "pending/what is saved has no owner", func(b *memory.Backend) taskflow.Backend { return &keepsOwners{Backend: b} }},
		{"skips at page ends", "query/newest first, page by page", func(b *memory.Backend) taskflow.Backend { return &skipsAtPageEnds{b} }},
		{"repeats the page", "query/newest first, page by page", func(b *memory.Backend) taskflow.Backend { return &ignoresCursor{b} }},
		{"ignores the source", "query/each filter alone", func(b *memory.Backend) taskflow.Backend { return &ignoresSource{b} }},
		{"ignores the source", "model/random histories answer like a list", func(b *memory.Backend) taskflow.Backend { return &ignoresSource{b} }},
		{"includes until", "query/each filter alone", func(b *memory.Backend) taskflow.Backend { return &includesUntil{b} }},
		{"lists summaries", "query/listings may be short, full ones may not", func(b *memory.Backend) taskflow.Backend { return &neverFull{b} }},
		{"finds anything", "query/get", func(b *memory.Backend) taskflow.Backend { return &findsAnything{b} }},
		{"counts on", "query/count stops at the limit", func(b *memory.Backend) taskflow.Backend { return &countsOn{b} }},
		{"lists pending", "query/pending is not listed", func(b *memory.Backend) taskflow.Backend { return &mixes{b} }},
		{"counts each save", "stats/a record saved again counts once", func(b *memory.Backend) taskflow.Backend { return &countsSaves{Backend: b} }},
		{"counts each save", "model/random histories answer like a list", func(b *memory.Backend) taskflow.Backend { return &countsSaves{Backend: b} }},
		{"deletes one too many", "delete/before a time", func(b *memory.Backend) taskflow.Backend { return &deletesTooMuch{b} }},
		{"deletes unfinished tasks", "delete/by id", func(b *memory.Backend) taskflow.Backend { return &deletesUnfinished{b} }},
		{"gives a task to all", "claim/by exactly one of eight", func(b *memory.Backend) taskflow.Backend { return &claimsForAll{b} }},
		{"wipes before a snapshot", "claim/a claimed row is no part of the snapshot", func(b *memory.Backend) taskflow.Backend { return &wipesBeforeSnapshot{b} }},
		{"wipes before a snapshot", "journal/a snapshot leaves journaled rows", func(b *memory.Backend) taskflow.Backend { return &wipesBeforeSnapshot{b} }},
		{"keeps pending rows", "claim/save removes the pending row", func(b *memory.Backend) taskflow.Backend { return &keepsPending{Backend: b} }},
		{"keeps pending rows", "journal/save moves a row to the history", func(b *memory.Backend) taskflow.Backend { return &keepsPending{Backend: b} }},
		{"forgets owners", "journal/every field comes back", func(b *memory.Backend) taskflow.Backend { return &forgetsOwners{b} }},
		{"journals one by one", "journal/all or none", func(b *memory.Backend) taskflow.Backend { return &journalsOneByOne{b, make(chan struct{})} }},
		{"journals once", "journal/putting again replaces", func(b *memory.Backend) taskflow.Backend { return &journalsOnce{Backend: b} }},
		{"takes rows away", "journal/a row stays with its owner", func(b *memory.Backend) taskflow.Backend { return &takesRows{b} }},
		{"snapshots new rows only", "journal/a snapshot updates a journaled row", func(b *memory.Backend) taskflow.Backend { return &snapshotsNewOnly{b} }},
		{"shows the oldest first", "audit/newest first, page by page", func(b *memory.Backend) taskflow.Backend { return &oldestFirst{b} }},
		{"replaces secrets", "secrets/the first value stays", func(b *memory.Backend) taskflow.Backend { return &replacesSecrets{b} }},
		{"replaces secrets", "secrets/eight at once agree", func(b *memory.Backend) taskflow.Backend { return &replacesSecrets{b} }},
		{"trims text", "text/hostile text comes back", func(b *memory.Backend) taskflow.Backend {
			return &onSave{b, func(r *taskflow.Record) { r.Name = strings.TrimSpace(r.Name) }}
		}},
		{"cuts arguments", "large/values come back", func(b *memory.Backend) taskflow.Backend {
			return &onSave{b, func(r *taskflow.Record) { r.Args = r.Args[:min(len(r.Args), 65535)] }}
		}},
		{"loses concurrent writes", "concurrency/eight writers lose nothing", func(b *memory.Backend) taskflow.Backend { return &losesSome{Backend: b} }},
		{"fails now and then", "concurrency/all methods at once", func(b *memory.Backend) taskflow.Backend { return &failsSometimes{Backend: b} }},
		{"ignores the context", "context/an ended one is an error", func(b *memory.Backend) taskflow.Backend { return &ignoresContext{b} }},
		{"returns what it has read", "context/one that ends during a call hides nothing", func(b *memory.Backend) taskflow.Backend {
			return &readsHalf{b}
		}},
		{"closes once", "close/twice is fine", func(b *memory.Backend) taskflow.Backend { return &closesOnce{Backend: b} }},
		{"never closes", "close/other methods fail afterwards", func(b *memory.Backend) taskflow.Backend { return &neverCloses{b} }},
	}
}

func TestBrokenBackendsAreCaught(t *testing.T) {
	t.Parallel()
	proven := map[string]bool{}
	for _, c := range append(brokenBackends(), brokenSharing()...) {
		proven[c.topic] = true
		t.Run(c.topic+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			failures := watch(t, c.topic, func() taskflow.Backend { return c.wrap(memory.New()) })
			if len(failures) == 0 {
				t.Errorf("the topic %q passes with a backend that %s", c.topic, c.name)
			}
		})
	}
	for _, tp := range topics() {
		if !proven[tp.name] {
			t.Errorf("no broken backend proves that the topic %q can fail", tp.name)
		}
	}
}

// A backend of six methods passes: what it lacks is skipped, not failed.
func TestSixMethodsAreEnough(t *testing.T) {
	t.Parallel()
	Run(t, func(*testing.T) taskflow.Backend { return sixMethods{memory.New()} })
}

func TestWhatIsNotOfferedIsSkippedAndListed(t *testing.T) {
	t.Parallel()
	var all untested
	for _, tp := range topics() {
		w := &watcher{TB: t}
		k := &kit{tester: w, untested: &all, open: func() taskflow.Backend { return sixMethods{memory.New()} }, patience: impatience}
		done := make(chan struct{})
		go func() { // ended by the topic's end or its Skipf, awaited below
			defer close(done)
			k.run(tp)
		}()
		<-done
		w.cleanUp()
		if tp.needs != "" && w.skipped != "not tested: the backend does not implement taskflow."+tp.needs {
			t.Errorf("%s was skipped with %q, want what the backend lacks: %s", tp.name, w.skipped, tp.needs)
		}
	}
	list := all.String()
	for _, line := range []string{"\nthe backend does not implement taskflow.Claimer: 7", "\n" + noReopen + ": 2"} {
		if !strings.Contains(list, line) {
			t.Errorf("the list lacks %q:\n%s", line, list)
		}
	}
}

// sixMethods hides what memory offers beyond the six.
type sixMethods struct{ taskflow.Backend }

// watch runs one topic with a backend and returns what it reported.
func watch(t *testing.T, name string, open func() taskflow.Backend) []string {
	t.Helper()
	w := &watcher{TB: t}
	for _, tp := range topics() {
		if tp.name != name {
			continue
		}
		k := &kit{tester: w, untested: &untested{}, open: open, patience: impatience}
		k.reopen = func(taskflow.Backend) taskflow.Backend { return open() }
		k.other = func(same taskflow.Backend) taskflow.Backend { return same }
		done := make(chan struct{})
		go func() { // ended by the topic's end or its FailNow, awaited below
			defer close(done)
			k.run(tp)
		}()
		<-done
		w.cleanUp()
		return w.reports
	}
	t.Fatalf("there is no topic %q", name)
	return nil
}

// watcher is a test that may fail without failing this one.
type watcher struct {
	testing.TB
	mu       sync.Mutex
	reports  []string
	cleanups []func()
	skipped  string
}

func (w *watcher) report(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = append(w.reports, s)
}

func (w *watcher) Cleanup(f func()) { w.cleanups = append(w.cleanups, f) }

func (w *watcher) cleanUp() {
	for _, f := range slices.Backward(w.cleanups) {
		f()
	}
}

func (w *watcher) Helper()                   {}
func (w *watcher) Log(...any)                {}
func (w *watcher) Logf(string, ...any)       {}
func (w *watcher) Error(args ...any)         { w.report(fmt.Sprint(args...)) }
func (w *watcher) Errorf(f string, a ...any) { w.report(fmt.Sprintf(f, a...)) }
func (w *watcher) Fatal(args ...any)         { w.Error(args...); w.stop() }
func (w *watcher) Fatalf(f string, a ...any) { w.Errorf(f, a...); w.stop() }
func (w *watcher) Fail()                     { w.report("Fail") }
func (w *watcher) FailNow()                  { w.report("FailNow"); w.stop() }
func (w *watcher) stop()                     { runtime.Goexit() }
func (w *watcher) Skipf(f string, a ...any)  { w.skipped = fmt.Sprintf(f, a...); w.stop() }
func (w *watcher) Failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.reports) > 0
}
