package taskflow

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// auditKept is how many audit entries are kept in memory when the backend is no AuditLog.
const auditKept = 1000

type auditRing struct {
	mu      sync.Mutex
	ids     idSource
	entries []AuditEntry      // oldest first
	secrets map[string][]byte // of a manager whose backend is no SecretStore
}

// AppendAudit adds an entry to the audit trail: the backend's, or one of the latest 1,000 in memory. A zero ID and Time
// are filled in.
func (m *Manager) AppendAudit(ctx context.Context, e AuditEntry) error {
	now := time.Now()
	if e.Time.IsZero() {
		e.Time = now.UTC()
	}
	a := &m.audit
	a.mu.Lock()
	if e.ID == "" {
		id, _ := a.ids.next(now)
		e.ID = id.String()
	}
	log, ok := m.cfg.backend.(AuditLog)
	if !ok {
		if len(a.entries) >= auditKept {
			a.entries = slices.Delete(a.entries, 0, 1)
		}
		a.entries = append(a.entries, e)
	}
	a.mu.Unlock()
	if !ok {
		return nil
	}
	if err := log.AppendAudit(ctx, e); err != nil {
		return fmt.Errorf("taskflow: audit %s: %w", e.Action, err)
	}
	return nil
}

// Audit returns entries of the audit trail, newest first: at most limit (clamped to 1 to MaxLimit), and only those with an
// id below before (empty: from the newest).
func (m *Manager) Audit(ctx context.Context, before string, limit int) ([]AuditEntry, error) {
	limit = min(max(limit, 1), MaxLimit)
	if log, ok := m.cfg.backend.(AuditLog); ok {
		entries, err := log.Audit(ctx, before, limit)
		if err != nil {
			return nil, fmt.Errorf("taskflow: audit: %w", err)
		}
		return entries, nil
	}
	a := &m.audit
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []AuditEntry
	for _, e := range slices.Backward(a.entries) {
		if len(found) < limit && (before == "" || e.ID < before) {
			found = append(found, e)
		}
	}
	return found, nil
}

// Secret returns the secret of that name, made by generate when there is none yet: the backend's, which all instances share
// and which outlives the process, or one of this manager.
func (m *Manager) Secret(ctx context.Context, name string, generate func() []byte) ([]byte, error) {
	if s, ok := m.cfg.backend.(SecretStore); ok {
		secret, err := s.LoadOrStoreSecret(ctx, name, generate())
		if err != nil {
			return nil, fmt.Errorf("taskflow: secret %q: %w", name, err)
		}
		return secret, nil
	}
	a := &m.audit
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.secrets == nil {
		a.secrets = map[string][]byte{}
	}
	if a.secrets[name] == nil {
		a.secrets[name] = generate()
	}
	return a.secrets[name], nil
}
