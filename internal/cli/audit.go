package cli

import (
	"context"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// audit notes in the backend's audit trail what was done. The deed stands when that fails.
func (a *app) audit(ctx context.Context, s storage, e taskflow.AuditEntry) {
	e.Time = a.now().UTC().Round(0)
	e.ID, e.Actor, e.Remote = a.newID(e.Time), a.actor.Actor, a.actor.Remote
	ctx, cancel := lasting(ctx)
	defer cancel()
	if err := s.AppendAudit(ctx, e); err != nil {
		a.say("The audit trail lacks this %s: %s", e.Action, oneLine(err))
	}
}

// lasting is for what belongs to a deed that is done: an interruption must not cut it off.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
}
