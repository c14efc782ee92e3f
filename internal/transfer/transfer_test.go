package transfer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/transfer"
)

var base = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func id(n int) string {
	low, _ := taskflow.IDBounds(base.Add(time.Duration(n) * time.Second))
	return low
}

// finished is the n-th record, with everything that a record can have.
func finished(n int) taskflow.Record {
	added := base.Add(time.Duration(n) * time.Second)
	return taskflow.Record{
		ID: id(n), Name: fmt.Sprint("task", n%7), Status: taskflow.StatusSuccess, Source: taskflow.SourceManual, Pool: "default", Priority: n % 3,
		Tags: map[string]string{"n": fmt.Sprint(n)}, CreatedAt: added, StartTime: added.Add(time.Second), EndTime: added.Add(2 * time.Second),
		Attempts: 1, MaxRetries: 3, Error: "e", Stack: "s", Logs: []string{"a", "b"}, LogCount: 2, Args: json.RawMessage(`{"n":1}`),
		Durable: true, Owner: "somebody", Key: fmt.Sprint("key", n), Crashes: 1,
	}
}

func waiting(n int) taskflow.Record {
	r := finished(n)
	r.Status, r.StartTime, r.EndTime, r.Owner = taskflow.StatusPending, time.Time{}, time.Time{}, ""
	return r
}

func several(from, to int, record func(int) taskflow.Record) (all []taskflow.Record) {
	for n := from; n < to; n++ {
		all = append(all, record(n))
	}
	return all
}

func audited(n int) taskflow.AuditEntry {
	return taskflow.AuditEntry{ID: id(n), Time: base, Action: "login", Actor: "ada", Remote: "::1", Detail: map[string]any{"n": float64(n)}}
}

// source is a backend with finished records 0 to 350, unfinished ones from there to 470, and 5 audit entries.
func source(t *testing.T) *memory.Backend {
	t.Helper()
	b := memory.New()
	save(t, b, several(0, 350, finished)...)
	put(t, b, several(350, 470, waiting)...)
	for n := range 5 {
		check(t, b.AppendAudit(t.Context(), audited(n)))
	}
	return b
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func save(t *testing.T, b *memory.Backend, records ...taskflow.Record) {
	t.Helper()
	n, err := b.Save(t.Context(), records)
	if check(t, err); n != len(records) {
		t.Fatalf("%d of %d records were saved", n, len(records))
	}
}

func put(t *testing.T, b *memory.Backend, records ...taskflow.Record) {
	t.Helper()
	check(t, b.PutPending(t.Context(), records))
}

func sorted(all []taskflow.Record) []taskflow.Record {
	slices.SortFunc(all, func(a, b taskflow.Record) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// wantSame compares what two backends hold.
func wantSame(t *testing.T, got, want *memory.Backend) {
	t.Helper()
	for name, load := range map[string]func(*memory.Backend) (any, error){
		"history":    func(b *memory.Backend) (any, error) { r, err := b.Load(t.Context()); return sorted(r), err },
		"unfinished": func(b *memory.Backend) (any, error) { r, err := b.LoadPending(t.Context()); return sorted(r), err },
		"audit":      func(b *memory.Backend) (any, error) { return b.Audit(t.Context(), "", 1000) },
		"stats":      func(b *memory.Backend) (any, error) { return b.Stats(t.Context()) },
	} {
		g, err := load(got)
		check(t, err)
		w, err := load(want)
		check(t, err)
		if !reflect.DeepEqual(g, w) {
			t.Errorf("the %s differs: %d of %d entries", name, count(g), count(w))
		}
	}
}

func count(v any) int {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice {
		return r.Len()
	}
	return -1
}

func wantCounts(t *testing.T, r transfer.Result, history, unfinished, audit transfer.Counts) {
	t.Helper()
	if r.History != history || r.Unfinished != unfinished || r.Audit != audit {
		t.Errorf("history %+v, unfinished %+v, audit %+v; want %+v, %+v, %+v", r.History, r.Unfinished, r.Audit, history, unfinished, audit)
	}
}

func TestCopyCopiesEverythingOnce(t *testing.T) {
	t.Parallel()
	from, to := source(t), memory.New()
	last := [2]int64{}
	r, err := transfer.Copy(t.Context(), from, to, transfer.Options{Progress: func(done, total int64) {
		if done < last[0] || total < last[1] || done > total {
			t.Errorf("progress went from %v to %d of %d", last, done, total)
		}
		last = [2]int64{done, total}
	}})
	check(t, err)
	wantCounts(t, r, transfer.Counts{Copied: 350}, transfer.Counts{Copied: 120}, transfer.Counts{Copied: 5})
	if !r.Complete() || last != [2]int64{475, 475} {
		t.Errorf("complete: %t, progress %v", r.Complete(), last)
	}
	wantSame(t, to, from)

	r, err = transfer.Copy(t.Context(), from, to, transfer.Options{})
	check(t, err)
	wantCounts(t, r, transfer.Counts{Skipped: 350}, transfer.Counts{Skipped: 120}, transfer.Counts{Skipped: 5})
	wantSame(t, to, from)
}

// interrupted is a target at whose given write the user presses Ctrl-C.
type interrupted struct {
	*memory.Backend
	writes int
	at     int
	stop   context.CancelFunc
	before bool // the write itself fails
}

func (b *interrupted) write(ctx context.Context, f func() error) error {
	if b.writes++; b.writes == b.at && b.before {
		b.stop()
		return ctx.Err()
	}
	err := f()
	if b.writes == b.at {
		b.stop()
	}
	return err
}

func (b *interrupted) Save(ctx context.Context, records []taskflow.Record) (n int, err error) {
	err = b.write(ctx, func() error { n, err = b.Backend.Save(ctx, records); return err })
	return n, err
}

func (b *interrupted) PutPending(ctx context.Context, records []taskflow.Record) error {
	return b.write(ctx, func() error { return b.Backend.PutPending(ctx, records) })
}

func (b *interrupted) AppendAudit(ctx context.Context, e taskflow.AuditEntry) error {
	return b.write(ctx, func() error { return b.Backend.AppendAudit(ctx, e) })
}

// TestCopyGoesOnAfterAnInterruption interrupts it at each of its writes.
func TestCopyGoesOnAfterAnInterruption(t *testing.T) {
	t.Parallel()
	from := source(t)
	for _, before := range []bool{false, true} {
		for at := 1; ; at++ {
			ctx, cancel := context.WithCancel(t.Context())
			to := &interrupted{Backend: memory.New(), at: at, stop: cancel, before: before}
			first, err := transfer.Copy(ctx, from, to, transfer.Options{})
			if to.writes < at {
				cancel()
				check(t, err)
				if at < 8 {
					t.Fatalf("a copy took only %d writes", at-1)
				}
				break
			}
			if err != nil && !errors.Is(err, context.Canceled) || len(first.Failures) > 0 {
				t.Fatalf("write %d: %v, failures %v", at, err, first.Failures)
			}
			done := first.History.Copied + first.Unfinished.Copied + first.Audit.Copied
			second, err := transfer.Copy(t.Context(), from, to.Backend, transfer.Options{})
			check(t, err)
			if skipped := second.History.Skipped + second.Unfinished.Skipped + second.Audit.Skipped; skipped != done {
				t.Errorf("write %d: %d were copied, then %d were there already", at, done, skipped)
			}
			wantSame(t, to.Backend, from)
		}
	}
}

func TestCopyRefusesWhatInstancesHold(t *testing.T) {
	t.Parallel()
	from, to := source(t), memory.New()
	check(t, from.Join(t.Context(), taskflow.Instance{ID: "idle"}, time.Hour))
	check(t, from.Join(t.Context(), taskflow.Instance{ID: "busy", Host: "web-1"}, time.Hour))
	held := several(500, 503, waiting)
	for i := range held {
		held[i].Owner = "busy"
	}
	put(t, from, held...)
	_, err := transfer.Copy(t.Context(), from, to, transfer.Options{})
	var refused *transfer.HeldError
	if !errors.As(err, &refused) || refused.Tasks != 3 || len(refused.Instances) != 1 || refused.Instances[0].Host != "web-1" {
		t.Fatalf("Copy returned %v", err)
	}
	wantSame(t, to, memory.New())

	r, err := transfer.Copy(t.Context(), from, to, transfer.Options{Force: true})
	check(t, err)
	wantCounts(t, r, transfer.Counts{Copied: 350}, transfer.Counts{Copied: 123}, transfer.Counts{Copied: 5})
	if len(r.Running) != 2 {
		t.Errorf("running: %v", r.Running)
	}
	got, err := to.GetPending(t.Context(), held[0].ID)
	if err != nil || got.Owner != "" {
		t.Errorf("what was held is %+v, %v; want nobody's", got, err)
	}
}

func TestCopyTakesWhatDeadInstancesHeld(t *testing.T) {
	t.Parallel()
	from, to := source(t), memory.New()
	dead := waiting(500)
	dead.Owner = "dead" // never joined, so not among the instances
	put(t, from, dead)
	r, err := transfer.Copy(t.Context(), from, to, transfer.Options{})
	check(t, err)
	if r.Unfinished.Copied != 121 {
		t.Errorf("%+v", r)
	}
	wantSame(t, to, from)
}

// TestCopyLeavesTheTargetsOwnStateAlone: what has gone on there since the first copy stays.
func TestCopyLeavesTheTargetsOwnStateAlone(t *testing.T) {
	t.Parallel()
	from, to := source(t), memory.New()
	_, err := transfer.Copy(t.Context(), from, to, transfer.Options{})
	check(t, err)
	ended, held, retried := finished(350), waiting(351), finished(0)
	ended.Owner, held.Owner = "there", "there"
	retried.RetriedBy = id(600)
	put(t, to, held)
	save(t, to, ended, retried)
	want, err := to.Stats(t.Context())
	check(t, err)

	repeated := finished(1) // in the source: the one thing that can change of a finished task
	repeated.RetriedBy = id(601)
	save(t, from, repeated)
	r, err := transfer.Copy(t.Context(), from, to, transfer.Options{})
	check(t, err)
	wantCounts(t, r, transfer.Counts{Copied: 1, Skipped: 349}, transfer.Counts{Skipped: 120}, transfer.Counts{Skipped: 5})
	for _, w := range []taskflow.Record{ended, retried, repeated} {
		if got, err := to.Get(t.Context(), w.ID); err != nil || !reflect.DeepEqual(got, w) {
			t.Errorf("%s is %+v, %v; want %+v", w.ID, got, err, w)
		}
	}
	if got, err := to.GetPending(t.Context(), held.ID); err != nil || got.Owner != "there" {
		t.Errorf("what an instance there holds is %+v, %v", got, err)
	}
	if got, err := to.Stats(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the totals changed: %+v, %+v, %v", got, want, err)
	}
}

// TestCopyDoesNotEndATaskThatTheTargetRuns: it was copied unfinished, ended in the source later, and runs in the target now.
func TestCopyDoesNotEndATaskThatTheTargetRuns(t *testing.T) {
	t.Parallel()
	from, to := source(t), memory.New()
	held, free, ownerless := waiting(7), waiting(8), finished(9)
	ownerless.Owner = "" // a backend always takes what has no owner
	save(t, from, ownerless)
	heldToo := waiting(9)
	held.Owner, heldToo.Owner = "there", "there"
	put(t, to, held, heldToo, free)
	r, err := transfer.Copy(t.Context(), from, to, transfer.Options{})
	check(t, err)
	wantCounts(t, r, transfer.Counts{Copied: 348, Failed: 2}, transfer.Counts{Copied: 120}, transfer.Counts{Copied: 5})
	if len(r.Failures) != 2 || r.Failures[0].ID != heldToo.ID || r.Failures[1].ID != held.ID || r.Complete() {
		t.Errorf("failures %v", r.Failures)
	}
	for _, id := range []string{held.ID, heldToo.ID} {
		if _, err := to.GetPending(t.Context(), id); err != nil {
			t.Errorf("a task that runs is gone: %v", err)
		}
	}
	if _, err := to.GetPending(t.Context(), free.ID); !errors.Is(err, taskflow.ErrNotFound) {
		t.Errorf("the task that has ended waits still: %v", err)
	}
}

// endsLate is a source in which a task ends while its history is read.
type endsLate struct {
	*memory.Backend
	t      *testing.T
	ending taskflow.Record
}

func (b endsLate) QueryPending(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	if q.Full { // after the history
		save(b.t, b.Backend, b.ending)
	}
	return b.Backend.QueryPending(ctx, q)
}

func TestCopyDoesNotLoseATaskThatEndsMeanwhile(t *testing.T) {
	t.Parallel()
	from, to := source(t), memory.New()
	r, err := transfer.Copy(t.Context(), endsLate{from, t, finished(400)}, to, transfer.Options{})
	check(t, err)
	wantCounts(t, r, transfer.Counts{Copied: 351}, transfer.Counts{Copied: 119}, transfer.Counts{Copied: 5})
	wantSame(t, to, from)
}

// TestCopyTakesOverWhatHasGoneOnInTheSource: a task that was copied while it waited must not run again because the target knows
// nothing of its start.
func TestCopyTakesOverWhatHasGoneOnInTheSource(t *testing.T) {
	t.Parallel()
	from, to := source(t), memory.New()
	_, err := transfer.Copy(t.Context(), from, to, transfer.Options{})
	check(t, err)
	began, again, further, held := waiting(360), waiting(361), waiting(362), waiting(363)
	began.Status, again.Attempts, again.Error, held.Attempts = taskflow.StatusRunning, 2, "once more", 3
	put(t, from, began, again, held)
	further.Attempts = 2
	other := waiting(363)
	other.Owner = "there"
	put(t, to, further, other)
	r, err := transfer.Copy(t.Context(), from, to, transfer.Options{})
	check(t, err)
	wantCounts(t, r, transfer.Counts{Skipped: 350}, transfer.Counts{Copied: 2, Skipped: 118}, transfer.Counts{Skipped: 5})
	for _, w := range []taskflow.Record{began, again, further, other} {
		if got, err := to.GetPending(t.Context(), w.ID); err != nil || !reflect.DeepEqual(got, w) {
			t.Errorf("%s is %+v, %v; want %+v", w.ID, got, err, w)
		}
	}
}

func TestCopyOfTheHistoryOnly(t *testing.T) {
	t.Parallel()
	from, to := source(t), memory.New()
	check(t, from.Join(t.Context(), taskflow.Instance{ID: "busy"}, time.Hour))
	held := waiting(400)
	held.Owner = "busy"
	put(t, from, held)
	last := int64(0)
	r, err := transfer.Copy(t.Context(), from, to, transfer.Options{HistoryOnly: true, Progress: func(done, total int64) { last = total - done }})
	check(t, err)
	wantCounts(t, r, transfer.Counts{Copied: 350}, transfer.Counts{}, transfer.Counts{Copied: 5})
	if last != 0 {
		t.Errorf("progress ends %d before its end", last)
	}
	if all, err := to.LoadPending(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%d unfinished tasks were copied, %v", len(all), err)
	}
	check(t, from.Leave(t.Context(), "busy"))
	_, err = transfer.Copy(t.Context(), from, to, transfer.Options{})
	check(t, err)
	wantSame(t, to, from)
}
