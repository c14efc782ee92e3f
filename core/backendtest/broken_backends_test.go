package backendtest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

type onSave struct {
	*memory.Backend
	edit func(*taskflow.Record)
}

func (b *onSave) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	records = slices.Clone(records)
	for i := range records {
		b.edit(&records[i])
	}
	return b.Backend.Save(ctx, records)
}

type localTimes struct{ *memory.Backend }

func (b *localTimes) Load(ctx context.Context) ([]taskflow.Record, error) {
	all, err := b.Backend.Load(ctx)
	for i := range all {
		all[i].EndTime = all[i].EndTime.In(time.FixedZone("local", 3600))
	}
	return all, err
}

type insertsOnly struct {
	*memory.Backend
	mu   sync.Mutex
	seen map[string]bool
}

func (b *insertsOnly) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen == nil {
		b.seen = map[string]bool{}
	}
	for _, r := range records {
		if b.seen[r.ID] {
			continue
		}
		b.seen[r.ID] = true
		if _, err := b.Backend.Save(ctx, []taskflow.Record{r}); err != nil {
			return 0, err
		}
	}
	return len(records), nil
}

type duplicates struct{ *memory.Backend }

func (b *duplicates) Load(ctx context.Context) ([]taskflow.Record, error) {
	all, err := b.Backend.Load(ctx)
	return append(all, all...), err
}

type refusesNothing struct{ *memory.Backend }

func (b *refusesNothing) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	if len(records) == 0 {
		return 0, errors.New("no records")
	}
	return b.Backend.Save(ctx, records)
}

type hasOldData struct{ *memory.Backend }

func (b *hasOldData) Load(ctx context.Context) ([]taskflow.Record, error) {
	all, err := b.Backend.Load(ctx)
	return append(all, finished(1)), err
}

type countsFromOne struct{ *memory.Backend }

func (b *countsFromOne) Stats(ctx context.Context) (taskflow.Stats, error) {
	s, err := b.Backend.Stats(ctx)
	s.Add(&taskflow.Record{Status: taskflow.StatusSuccess})
	return s, err
}

// needsOpen works without being opened, but cannot be closed then.
type needsOpen struct{ *memory.Backend }

func (*needsOpen) Open(context.Context) error { return nil }
func (*needsOpen) Close() error               { return errors.New("no file") }

type mixes struct{ *memory.Backend }

func (b *mixes) SavePending(ctx context.Context, records []taskflow.Record) (int, error) {
	if _, err := b.Save(ctx, records); err != nil {
		return 0, err
	}
	return b.Backend.SavePending(ctx, records)
}

type appendsSnapshots struct{ *memory.Backend }

func (b *appendsSnapshots) SavePending(ctx context.Context, records []taskflow.Record) (int, error) {
	return len(records), b.PutPending(ctx, records)
}

type losesArgs struct{ *memory.Backend }

func (b *losesArgs) LoadPending(ctx context.Context) ([]taskflow.Record, error) {
	all, err := b.Backend.LoadPending(ctx)
	for i := range all {
		all[i].Args = nil
	}
	return all, err
}

type clearsNothing struct{ *memory.Backend }

func (*clearsNothing) ClearPending(context.Context) error { return nil }

type keepsOwners struct {
	*memory.Backend
	owner string
}

func (b *keepsOwners) SavePending(ctx context.Context, records []taskflow.Record) (int, error) {
	b.owner = records[0].Owner
	return b.Backend.SavePending(ctx, records)
}

func (b *keepsOwners) LoadPending(ctx context.Context) ([]taskflow.Record, error) {
	all, err := b.Backend.LoadPending(ctx)
	for i := range all {
		all[i].Owner = b.owner
	}
	return all, err
}

type skipsAtPageEnds struct{ *memory.Backend }

func (b *skipsAtPageEnds) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	p, err := b.Backend.Query(ctx, q)
	if n := len(p.Records); p.Next != "" && n > 1 {
		p.Records = p.Records[:n-1]
	}
	return p, err
}

type ignoresCursor struct{ *memory.Backend }

func (b *ignoresCursor) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	q.Before = ""
	return b.Backend.Query(ctx, q)
}

type ignoresSource struct{ *memory.Backend }

func (b *ignoresSource) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	q.Source = ""
	return b.Backend.Query(ctx, q)
}

type includesUntil struct{ *memory.Backend }

func (b *includesUntil) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	if !q.Until.IsZero() {
		q.Until = q.Until.Add(time.Nanosecond)
	}
	return b.Backend.Query(ctx, q)
}

type neverFull struct{ *memory.Backend }

func (b *neverFull) Query(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	q.Full = false
	return b.Backend.Query(ctx, q)
}

type findsAnything struct{ *memory.Backend }

func (b *findsAnything) Get(ctx context.Context, id string) (taskflow.Record, error) {
	r, err := b.Backend.Get(ctx, id)
	if errors.Is(err, taskflow.ErrNotFound) {
		return r, nil
	}
	return r, err
}

type countsOn struct{ *memory.Backend }

func (b *countsOn) Count(ctx context.Context, f taskflow.Filter, _ int) (n int, exact bool, err error) {
	return b.Backend.Count(ctx, f, 1_000_000)
}

type countsSaves struct {
	*memory.Backend
	mu    sync.Mutex
	stats taskflow.Stats
}

func (b *countsSaves) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range records {
		b.stats.Add(&records[i])
	}
	return b.Backend.Save(ctx, records)
}

func (b *countsSaves) Stats(context.Context) (taskflow.Stats, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stats
	s.Counts = maps.Clone(s.Counts)
	return s, nil
}

type deletesTooMuch struct{ *memory.Backend }

func (b *deletesTooMuch) DeleteBefore(ctx context.Context, t time.Time) (int, error) {
	return b.Backend.DeleteBefore(ctx, t.Add(time.Millisecond))
}

type deletesUnfinished struct{ *memory.Backend }

func (b *deletesUnfinished) Delete(ctx context.Context, ids []string) (int, error) {
	n, err := b.Backend.Delete(ctx, ids)
	if slices.Contains(ids, waiting(0).ID) {
		err = errors.Join(err, b.ClearPending(ctx))
	}
	return n, err
}

type claimsForAll struct{ *memory.Backend }

func (b *claimsForAll) Claim(ctx context.Context, owner string, names []string, limit int) ([]taskflow.Record, error) {
	all, err := b.LoadPending(ctx)
	all = slices.DeleteFunc(all, func(r taskflow.Record) bool { return !slices.Contains(names, r.Name) })
	for i := range all {
		all[i].Owner = owner
	}
	return all[:min(limit, len(all))], err
}

type forgetsOwners struct{ *memory.Backend }

func (b *forgetsOwners) LoadPending(ctx context.Context) ([]taskflow.Record, error) {
	all, err := b.Backend.LoadPending(ctx)
	for i := range all {
		all[i].Owner = ""
	}
	return all, err
}

type wipesBeforeSnapshot struct{ *memory.Backend }

func (b *wipesBeforeSnapshot) SavePending(ctx context.Context, records []taskflow.Record) (int, error) {
	if err := b.ClearPending(ctx); err != nil {
		return 0, err
	}
	return b.Backend.SavePending(ctx, records)
}

type keepsPending struct {
	*memory.Backend
	mu   sync.Mutex
	kept []taskflow.Record
}

func (b *keepsPending) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var err error
	if b.kept, err = b.Backend.LoadPending(ctx); err != nil {
		return 0, err
	}
	return b.Backend.Save(ctx, records)
}

func (b *keepsPending) LoadPending(context.Context) ([]taskflow.Record, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.kept), nil
}

// journalsOneByOne stores the first record, and the others once a reader has been there.
type journalsOneByOne struct {
	*memory.Backend
	read chan struct{}
}

func (b *journalsOneByOne) PutPending(ctx context.Context, records []taskflow.Record) error {
	if err := b.Backend.PutPending(ctx, records[:1]); err != nil {
		return err
	}
	for range 2 { // the first read may have begun before the record was there
		select {
		case b.read <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return b.Backend.PutPending(ctx, records[1:])
}

func (b *journalsOneByOne) LoadPending(ctx context.Context) ([]taskflow.Record, error) {
	all, err := b.Backend.LoadPending(ctx)
	select {
	case <-b.read:
	default: // nobody waits
	}
	return all, err
}

type takesRows struct{ *memory.Backend }

func (b *takesRows) PutPending(ctx context.Context, records []taskflow.Record) error {
	for _, r := range records {
		// a snapshot leaves no owner behind
		if _, err := b.Backend.SavePending(ctx, []taskflow.Record{ownedBy("", r)}); err != nil {
			return err
		}
		if err := b.Backend.PutPending(ctx, []taskflow.Record{r}); err != nil {
			return err
		}
	}
	return nil
}

type journalsOnce struct {
	*memory.Backend
	once sync.Once
}

func (b *journalsOnce) PutPending(ctx context.Context, records []taskflow.Record) (err error) {
	b.once.Do(func() { err = b.Backend.PutPending(ctx, records) })
	return err
}

type snapshotsNewOnly struct{ *memory.Backend }

func (b *snapshotsNewOnly) SavePending(ctx context.Context, records []taskflow.Record) (int, error) {
	have, err := b.LoadPending(ctx)
	if err != nil {
		return 0, err
	}
	known := ids(have)
	_, err = b.Backend.SavePending(ctx, slices.DeleteFunc(slices.Clone(records), func(r taskflow.Record) bool { return slices.Contains(known, r.ID) }))
	return len(records), err
}

type oldestFirst struct{ *memory.Backend }

func (b *oldestFirst) Audit(ctx context.Context, before string, limit int) ([]taskflow.AuditEntry, error) {
	entries, err := b.Backend.Audit(ctx, before, limit)
	slices.Reverse(entries)
	return entries, err
}

type replacesSecrets struct{ *memory.Backend }

func (*replacesSecrets) LoadOrStoreSecret(_ context.Context, _ string, value []byte) ([]byte, error) {
	return value, nil
}
