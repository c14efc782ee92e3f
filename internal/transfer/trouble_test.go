package transfer_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/transfer"
)

// picky is a target that refuses some entries.
type picky struct {
	*memory.Backend
	bad  map[string]bool
	left map[string]bool // these are another owner's: left out, and not counted
}

var errBad = errors.New("the record cannot be stored")

func (b picky) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	var good []taskflow.Record
	for _, r := range records {
		if b.bad[r.ID] {
			return 0, errBad
		}
		if !b.left[r.ID] {
			good = append(good, r)
		}
	}
	return b.Backend.Save(ctx, good)
}

func (b picky) PutPending(ctx context.Context, records []taskflow.Record) error {
	for _, r := range records {
		if b.bad[r.ID] {
			return errBad
		}
	}
	return b.Backend.PutPending(ctx, records)
}

func (b picky) AppendAudit(ctx context.Context, e taskflow.AuditEntry) error {
	if b.bad[e.ID+"audit"] {
		return errBad
	}
	return b.Backend.AppendAudit(ctx, e)
}

func TestCopyNamesWhatFails(t *testing.T) {
	t.Parallel()
	from := source(t)
	to := picky{memory.New(), map[string]bool{id(30): true, id(31): true, id(400): true, id(2) + "audit": true}, map[string]bool{id(200): true}}
	r, err := transfer.Copy(t.Context(), from, to, transfer.Options{})
	check(t, err)
	wantCounts(t, r, transfer.Counts{Copied: 347, Failed: 3}, transfer.Counts{Copied: 119, Failed: 1}, transfer.Counts{Copied: 4, Failed: 1})
	var got []string
	for _, f := range r.Failures {
		got = append(got, f.ID)
	}
	if want := []string{id(200), id(31), id(30), id(400), id(2)}; !slices.Equal(got, want) {
		t.Errorf("failures %v, want %v", got, want)
	}
	if r.Complete() {
		t.Error("it is called complete")
	}
}

func TestCopyGivesUpOnATargetThatRefusesEverything(t *testing.T) {
	t.Parallel()
	from := source(t)
	for name, bad := range map[string]func(int) string{"history": id, "unfinished": func(n int) string { return id(n + 350) }} {
		to := picky{memory.New(), map[string]bool{}, nil}
		for n := range 120 {
			to.bad[bad(n)] = true
		}
		r, err := transfer.Copy(t.Context(), from, to, transfer.Options{})
		if !errors.Is(err, errBad) || len(r.Failures) != 10 {
			t.Errorf("%s: Copy returned %v and %d failures, want errBad and 10", name, err, len(r.Failures))
		}
	}
}

// unreadable is a source with rows that it counts and cannot read.
type unreadable struct{ *memory.Backend }

func (b unreadable) Stats(ctx context.Context) (taskflow.Stats, error) {
	s, err := b.Backend.Stats(ctx)
	s.Counts[taskflow.StatusFailed] += 2
	return s, err
}

func TestCopyTellsOfRowsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r, err := transfer.Copy(t.Context(), unreadable{source(t)}, memory.New(), transfer.Options{})
	check(t, err)
	if r.Unread != 2 || r.Complete() {
		t.Errorf("unread %d, complete %t", r.Unread, r.Complete())
	}
}

// TestCopyFindsEntriesBehindTheTargetsOwn: more than a page of newer ones.
func TestCopyFindsEntriesBehindTheTargetsOwn(t *testing.T) {
	t.Parallel()
	from, to := source(t), memory.New()
	_, err := transfer.Copy(t.Context(), from, to, transfer.Options{})
	check(t, err)
	for n := 1000; n < 2100; n++ {
		check(t, to.AppendAudit(t.Context(), audited(n)))
	}
	save(t, to, several(1000, 2100, finished)...)
	r, err := transfer.Copy(t.Context(), from, to, transfer.Options{})
	check(t, err)
	wantCounts(t, r, transfer.Counts{Skipped: 350}, transfer.Counts{Skipped: 120}, transfer.Counts{Skipped: 5})
}

// sparse is a source whose pages are short, as of one that bounds its work.
type sparse struct{ *memory.Backend }

func (b sparse) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	q.Limit = min(q.Limit, 17)
	p, err := b.Backend.Query(ctx, q)
	if err == nil && len(p.Records) > 1 && p.Records[0].Priority == 1 {
		cut := p.Records[0].ID // nothing but the first was looked at
		return taskflow.Page{Records: p.Records[:1], Next: cut}, nil
	}
	return p, err
}

func TestCopyReadsShortPages(t *testing.T) {
	t.Parallel()
	from, to := source(t), memory.New()
	_, err := transfer.Copy(t.Context(), sparse{from}, sparse{to}, transfer.Options{})
	check(t, err)
	wantSame(t, to, from)
	r, err := transfer.Copy(t.Context(), sparse{from}, sparse{to}, transfer.Options{})
	check(t, err)
	wantCounts(t, r, transfer.Counts{Skipped: 350}, transfer.Counts{Skipped: 120}, transfer.Counts{Skipped: 5})
}

// away is a backend of which one operation fails.
type away struct {
	*memory.Backend
	operation string
}

var errAway = errors.New("connection refused")

func (b away) fails(operation string) error {
	if operation == b.operation {
		return errAway
	}
	return nil
}

func (b away) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	if err := b.fails("query"); err != nil {
		return taskflow.Page{}, err
	}
	return b.Backend.Query(ctx, q)
}

func (b away) QueryPending(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	if err := b.fails("pending"); err != nil {
		return taskflow.Page{}, err
	}
	return b.Backend.QueryPending(ctx, q)
}

func (b away) Audit(ctx context.Context, before string, limit int) ([]taskflow.AuditEntry, error) {
	if err := b.fails("audit"); err != nil {
		return nil, err
	}
	return b.Backend.Audit(ctx, before, limit)
}

func (b away) Stats(ctx context.Context) (taskflow.Stats, error) {
	if err := b.fails("stats"); err != nil {
		return taskflow.Stats{}, err
	}
	return b.Backend.Stats(ctx)
}

func (b away) Expire(ctx context.Context) ([]string, error) {
	if err := b.fails("expire"); err != nil {
		return nil, err
	}
	return b.Backend.Expire(ctx)
}

func (b away) Instances(ctx context.Context) ([]taskflow.Instance, error) {
	if err := b.fails("instances"); err != nil {
		return nil, err
	}
	return b.Backend.Instances(ctx)
}

func TestCopySaysWhichSideFails(t *testing.T) {
	t.Parallel()
	for operation, want := range map[string][2]string{
		"expire":    {"look for dead instances of the source", ""},
		"instances": {"list the instances of the source", ""},
		"stats":     {"count the history of the source", ""},
		"pending":   {"list the unfinished tasks of the source", "list the unfinished tasks of the target"},
		"query":     {"copy the history: read the source", "copy the history: read the target"},
		"audit":     {"copy the audit trail: read the source", "copy the audit trail: read the target"},
	} {
		for side, text := range want {
			from, to := away{source(t), ""}, away{memory.New(), ""}
			if side == 0 {
				from.operation = operation
			} else {
				to.operation = operation
			}
			_, err := transfer.Copy(t.Context(), from, to, transfer.Options{})
			if text == "" {
				check(t, err)
			} else if !errors.Is(err, errAway) || !strings.HasPrefix(err.Error(), text) {
				t.Errorf("%s on side %d: %v, want %s", operation, side, err, text)
			}
		}
	}
}
