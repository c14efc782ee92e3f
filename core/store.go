package taskflow

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// store is the backend as the manager reads it, whatever it can do.
type store struct {
	backend Backend
	query   Querier        // nil: listings load the whole history
	pending PendingQuerier // nil: only what is in memory is known of the unfinished tasks

	loading chan struct{} // holds a token while the whole history is loaded: once at a time
}

func newStore(b Backend) *store {
	q, _ := b.(Querier)
	p, _ := b.(PendingQuerier)
	return &store{backend: b, query: q, pending: p, loading: make(chan struct{}, 1)}
}

// lock is a mutex that heeds a context.
func lock(ctx context.Context, token chan struct{}, what string) (unlock func(), err error) {
	select {
	case token <- struct{}{}:
		return func() { <-token }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for %s: %w", what, ctx.Err())
	}
}

func (s *store) page(ctx context.Context, q Query) (Page, error) {
	if s.query != nil {
		return s.query.Query(ctx, q)
	}
	all, err := s.load(ctx)
	if err != nil {
		return Page{}, err
	}
	var p Page
	for i := range all {
		r := &all[i]
		if q.Before != "" && r.ID >= q.Before || !q.Match(r) {
			continue
		}
		if len(p.Records) == q.Limit {
			p.Next = p.Records[q.Limit-1].ID
			break
		}
		if q.Full {
			p.Records = append(p.Records, *r)
		} else {
			p.Records = append(p.Records, r.Summary())
		}
	}
	return p, nil
}

func (s *store) get(ctx context.Context, id string) (Record, error) {
	if s.query != nil {
		return s.query.Get(ctx, id)
	}
	all, err := s.load(ctx)
	if err != nil {
		return Record{}, err
	}
	if i := slices.IndexFunc(all, func(r Record) bool { return r.ID == id }); i >= 0 {
		return all[i], nil
	}
	return Record{}, fmt.Errorf("%w: %s", ErrNotFound, id)
}

// load reads the whole history, newest first.
func (s *store) load(ctx context.Context) ([]Record, error) {
	unlock, err := lock(ctx, s.loading, "another load")
	if err != nil {
		return nil, err
	}
	defer unlock()
	all, err := s.backend.Load(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b Record) int { return strings.Compare(b.ID, a.ID) })
	return all, nil
}

// logCapabilities says at start what the backend cannot give, a line for each.
func (m *Manager) logCapabilities() {
	has := Capabilities(m.cfg.backend)
	for _, c := range []struct {
		capability Capability
		lacks      string
	}{
		{CapabilityQuery, "query: every listing loads the whole history"},
		{CapabilityStats, "stats: totals count from this start"},
		{CapabilityDelete, "delete: old history cannot be deleted"},
		{CapabilityDeleteRecords, "delete_records: chosen tasks cannot be deleted"},
		{CapabilityClaim, "claim: several instances must not share it, and waiting tasks are lost if the process dies after Start"},
		{CapabilityInstances, "instances: what a process holds when it dies stays with it"},
		{CapabilityPending, "pending: the unfinished tasks of other instances are not listed"},
		{CapabilityKeys, "keys: idempotency keys hold within this process only"},
		{CapabilityMessages, "messages: a task of another instance cannot be cancelled from here"},
		{CapabilityJournal, "journal: Submit is refused"},
		{CapabilityAudit, "audit: the audit trail lives in memory"},
		{CapabilitySecrets, "secrets: sign-ins end with the process"},
		{CapabilitySeries, "series: charts show what this instance has counted since its start"},
	} {
		if !slices.Contains(has, c.capability) {
			m.log.Info("taskflow: the backend does not offer everything", "backend", fmt.Sprintf("%T", m.cfg.backend), "missing", c.lacks)
		}
	}
}
