package sqlstore

import (
	"context"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// AppendAudit implements [taskflow.AuditLog]. The newest 100,000 entries are kept: whoever may only try to log in must not be able to
// fill the disk.
func (s *Store) AppendAudit(ctx context.Context, e taskflow.AuditEntry) error {
	id, err := parseID(e.ID)
	if err != nil {
		return s.wrap(ctx, "append audit", fmt.Errorf("%w: %w", ErrInvalidRecord, err))
	}
	detail, err := encodeJSON(e.Detail, len(e.Detail))
	if err != nil {
		return s.wrap(ctx, "append audit", fmt.Errorf("%w: detail of %s: %w", ErrInvalidRecord, e.ID, err))
	}
	return s.write(ctx, "append audit", func(o *session, tx Tx) error {
		o.insert(ctx, tx, auditTable, Conflict{Key: []string{"id"}}, []any{
			id, instant(e.Time), printable(e.Action), printable(e.TaskID), printable(e.Actor), printable(e.Remote), detail,
		})
		return o.pruneAudit(ctx, tx)
	})
}

// pruneAudit deletes what is older than the entries to keep. Finding them means to walk over all: it does so at the handle's first
// entry, and then each time that a hundredth of them has been added.
func (s *session) pruneAudit(ctx context.Context, tx Tx) error {
	keep := s.cfg.Audits
	if !s.every(max(keep/100, 1), "audit") {
		return nil
	}
	oldest, found := ID{}, false
	sql := fmt.Sprintf("SELECT id FROM {audit} ORDER BY id DESC LIMIT 1 OFFSET %d", keep-1)
	err := s.queryTx(ctx, tx, sql, nil, func(row Row) error {
		found = true
		return row.Scan(&oldest)
	})
	if err == nil && found {
		s.later(ctx, tx, "DELETE FROM {audit} WHERE id < ?", oldest)
	}
	return err
}

// Audit implements [taskflow.AuditLog].
func (s *Store) Audit(ctx context.Context, before string, limit int) ([]taskflow.AuditEntry, error) {
	var entries []taskflow.AuditEntry
	err := s.read(ctx, "audit", func(o *session) error {
		last := highestID
		if before != "" {
			id, err := parseID(before)
			if err != nil {
				return fmt.Errorf("before: %w", err)
			}
			smaller, ok := id.before()
			if !ok {
				return nil
			}
			last = smaller
		}
		sql := fmt.Sprintf("SELECT id, happened_at, action, task_id, actor, remote, detail FROM {audit} WHERE id <= ? ORDER BY id DESC LIMIT %d", max(limit, 0))
		return o.query(ctx, sql, []any{last}, func(row Row) error {
			var (
				id     ID
				at     *int64
				detail []byte
				e      taskflow.AuditEntry
			)
			if err := row.Scan(&id, &at, &e.Action, &e.TaskID, &e.Actor, &e.Remote, &detail); err != nil {
				return err
			}
			e.ID, e.Time = id.String(), timeOf(at)
			if err := decodeJSON(detail, &e.Detail); err != nil {
				s.skipped(auditTable.Name, e.ID, err)
				return nil
			}
			entries = append(entries, e)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}
