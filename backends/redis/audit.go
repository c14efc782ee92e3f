package redis

import (
	"context"
	"encoding/json"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// AppendAudit implements [taskflow.AuditLog]. The newest 100,000 entries are kept, and up to 1,000 more until older ones are deleted.
func (b *Backend) AppendAudit(ctx context.Context, e taskflow.AuditEntry) error {
	return b.use(ctx, "append audit", func(c *connection) error {
		if !taskflow.ValidID(e.ID) {
			return fmt.Errorf("%w: audit entry %.100q: its id is not a UUID", ErrInvalidRecord, e.ID)
		}
		e.Time = e.Time.UTC()
		entry, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("%w: audit entry %s: %w", ErrInvalidRecord, e.ID, err)
		}
		_, err = c.run(ctx, scriptAppendAudit, e.ID, entry, b.cfg.audits, b.cfg.audits/100)
		return err
	})
}

// Audit implements [taskflow.AuditLog].
func (b *Backend) Audit(ctx context.Context, before string, limit int) (entries []taskflow.AuditEntry, err error) {
	err = b.use(ctx, "audit", func(c *connection) error {
		high := "+"
		if before != "" {
			high = "(" + before
		}
		reply, err := c.run(ctx, scriptAudit, high, max(limit, 0))
		if err != nil {
			return err
		}
		for rows := list(reply); len(rows) >= 2; rows = rows[2:] {
			var e taskflow.AuditEntry
			if err := json.Unmarshal([]byte(text(rows[1])), &e); err != nil {
				b.skipped("audit", text(rows[0]), err)
				continue
			}
			e.Time = e.Time.UTC()
			entries = append(entries, e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

// LoadOrStoreSecret implements [taskflow.SecretStore]. The value is stored as it is: who may read the keys may read it.
func (b *Backend) LoadOrStoreSecret(ctx context.Context, name string, value []byte) (stored []byte, err error) {
	err = b.use(ctx, "secret", func(c *connection) error {
		if value == nil {
			value = []byte{}
		}
		reply, err := c.run(ctx, scriptSecret, name, value)
		stored = []byte(text(reply))
		return err
	})
	if err != nil {
		return nil, err
	}
	return stored, nil
}
