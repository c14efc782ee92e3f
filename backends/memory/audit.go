package memory

import (
	"context"
	"slices"
	"strings"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// AppendAudit implements [taskflow.AuditLog].
func (b *Backend) AppendAudit(ctx context.Context, entry taskflow.AuditEntry) error {
	leave, err := b.enter(ctx, "append audit")
	if err != nil {
		return err
	}
	defer leave()
	entry.Time = entry.Time.Round(0).UTC()
	at, _ := slices.BinarySearchFunc(b.audit, entry.ID, func(e taskflow.AuditEntry, id string) int { return strings.Compare(e.ID, id) })
	b.audit = slices.Insert(b.audit, at, entry)
	return nil
}

// Audit implements [taskflow.AuditLog].
func (b *Backend) Audit(ctx context.Context, before string, limit int) ([]taskflow.AuditEntry, error) {
	leave, err := b.enter(ctx, "audit")
	if err != nil {
		return nil, err
	}
	defer leave()
	var entries []taskflow.AuditEntry
	for _, e := range slices.Backward(b.audit) {
		if len(entries) < limit && (before == "" || e.ID < before) {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// LoadOrStoreSecret implements [taskflow.SecretStore].
func (b *Backend) LoadOrStoreSecret(ctx context.Context, name string, value []byte) ([]byte, error) {
	leave, err := b.enter(ctx, "secret")
	if err != nil {
		return nil, err
	}
	defer leave()
	if _, known := b.secrets[name]; !known {
		b.secrets[name] = slices.Clone(value)
	}
	return slices.Clone(b.secrets[name]), nil
}
