package dashboard

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const anonymous = "anonymous"

// record adds e to the audit trail, with who did it. The thing is done when this is called, so a trail that cannot be
// written is logged and does not turn the answer into an error; a client that has left is recorded all the same.
func (h *Handler) record(r *http.Request, e taskflow.AuditEntry) {
	if e.Actor == "" {
		e.Actor = actor(r)
	}
	e.Remote = remote(r)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
	defer cancel()
	h.append(ctx, e)
}

func (h *Handler) append(ctx context.Context, e taskflow.AuditEntry) {
	if err := h.m.AppendAudit(ctx, e); err != nil {
		h.m.Logger().Error("dashboard: write the audit trail", "action", e.Action, "task_id", e.TaskID, "actor", e.Actor, "error", err)
	}
}

// actor is the user of the request's session.
func actor(r *http.Request) string {
	if s := sessionOf(r); s != nil {
		return s.User
	}
	return anonymous
}

// remote is the client's address for the audit trail. What a proxy, or somebody who pretends to be one, says about it is
// kept apart from what is certain.
func remote(r *http.Request) string {
	at := peer(r)
	if via := r.Header.Values("X-Forwarded-For"); len(via) > 0 {
		at += fmt.Sprintf(" (forwarded for %s)", clip(strings.Join(via, ", "), 100))
	}
	return at
}

// peer is the address, without the port, of whoever is at the other end of the connection.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return clip(r.RemoteAddr, 64)
	}
	return host
}

// auditTrail answers GET /audit, newest first.
func (h *Handler) auditTrail(w http.ResponseWriter, r *http.Request) error {
	p, err := parseParams(r)
	if err != nil {
		return err
	}
	limit, err := p.limit(maxLimit)
	if err != nil {
		return err
	}
	before, err := p.cursor()
	if err != nil {
		return err
	}
	entries, err := h.m.Audit(r.Context(), before, limit)
	if err != nil {
		return fmt.Errorf("read the audit trail: %w", err)
	}
	for i := range entries {
		entries[i].Time = entries[i].Time.UTC()
		if entries[i].Detail == nil {
			entries[i].Detail = map[string]any{}
		}
	}
	if entries == nil {
		entries = []taskflow.AuditEntry{}
	}
	if len(entries) == limit {
		p.linkNext(w, entries[limit-1].ID)
	}
	return h.answer(w, r, entries)
}
