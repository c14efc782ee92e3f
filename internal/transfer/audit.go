package transfer

import (
	"context"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// audit copies the audit trail.
func (c *copier) audit(ctx context.Context) error {
	before := ""
	for {
		entries, err := c.from.Audit(ctx, before, summaryPage)
		if err != nil {
			return fmt.Errorf("read the source: %w", err)
		}
		if len(entries) == 0 {
			return nil
		}
		there, err := c.auditThere(ctx, before, entries[len(entries)-1].ID)
		if err != nil {
			return fmt.Errorf("read the target: %w", err)
		}
		if err := c.appendAudit(ctx, entries, there); err != nil {
			return fmt.Errorf("write the target: %w", err)
		}
		c.dealt()
		before = entries[len(entries)-1].ID
	}
}

// auditThere returns the ids of the target's entries from lowest up to before.
func (c *copier) auditThere(ctx context.Context, before, lowest string) (map[string]bool, error) {
	there := map[string]bool{}
	for {
		entries, err := c.to.Audit(ctx, before, summaryPage)
		if err != nil || len(entries) == 0 {
			return there, err
		}
		for _, e := range entries {
			there[e.ID] = true
		}
		if before = entries[len(entries)-1].ID; before <= lowest {
			return there, nil
		}
	}
}

func (c *copier) appendAudit(ctx context.Context, entries []taskflow.AuditEntry, there map[string]bool) error {
	n := &c.result.Audit
	for _, e := range entries {
		if there[e.ID] {
			n.Skipped++
			continue
		}
		if err := c.to.AppendAudit(ctx, e); err != nil {
			if err := c.failed(ctx, n, e.ID, err); err != nil {
				return err
			}
			continue
		}
		c.copied(n)
	}
	return nil
}
