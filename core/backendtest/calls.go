package backendtest

import (
	"context"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// call is one method with some arguments.
type call struct {
	name string
	do   func(ctx context.Context, b taskflow.Backend) error
}

// calls returns all methods that b has, but Open and Close.
func calls(b taskflow.Backend) []call {
	list := []call{
		{"Save", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.Save(ctx, several(3, finished))
			return err
		}},
		{"Load", func(ctx context.Context, b taskflow.Backend) error { _, err := b.Load(ctx); return err }},
		{"SavePending", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.SavePending(ctx, several(3, waiting))
			return err
		}},
		{"LoadPending", func(ctx context.Context, b taskflow.Backend) error { _, err := b.LoadPending(ctx); return err }},
		{"ClearPending", func(ctx context.Context, b taskflow.Backend) error { return b.ClearPending(ctx) }},
	}
	add := func(has bool, name string, do func(ctx context.Context, b taskflow.Backend) error) {
		if has {
			list = append(list, call{name, do})
		}
	}
	add(offers[taskflow.Querier](b), "Query", func(ctx context.Context, b taskflow.Backend) error {
		_, err := b.(taskflow.Querier).Query(ctx, taskflow.Query{Limit: 10})
		return err
	})
	add(offers[taskflow.Querier](b), "Get", func(ctx context.Context, b taskflow.Backend) error {
		_, err := b.(taskflow.Querier).Get(ctx, finished(0).ID)
		return err
	})
	add(offers[taskflow.Querier](b), "Count", func(ctx context.Context, b taskflow.Backend) error {
		_, _, err := b.(taskflow.Querier).Count(ctx, taskflow.Filter{}, 10)
		return err
	})
	add(offers[taskflow.StatsReader](b), "Stats", func(ctx context.Context, b taskflow.Backend) error {
		_, err := b.(taskflow.StatsReader).Stats(ctx)
		return err
	})
	add(offers[taskflow.Deleter](b), "DeleteBefore", func(ctx context.Context, b taskflow.Backend) error {
		_, err := b.(taskflow.Deleter).DeleteBefore(ctx, base.Add(time.Hour))
		return err
	})
	add(offers[taskflow.Claimer](b), "Claim", func(ctx context.Context, b taskflow.Backend) error {
		_, err := b.(taskflow.Claimer).Claim(ctx, []string{waiting(0).ID}, "owner")
		return err
	})
	add(offers[taskflow.Journal](b), "PutPending", func(ctx context.Context, b taskflow.Backend) error {
		return b.(taskflow.Journal).PutPending(ctx, several(3, func(n int) taskflow.Record {
			r := waiting(n)
			r.Owner = "owner" // who claims above
			return r
		}))
	})
	add(offers[taskflow.AuditLog](b), "AppendAudit", func(ctx context.Context, b taskflow.Backend) error {
		return b.(taskflow.AuditLog).AppendAudit(ctx, taskflow.AuditEntry{ID: idAt(base, 0), Time: base, Action: "login"})
	})
	add(offers[taskflow.AuditLog](b), "Audit", func(ctx context.Context, b taskflow.Backend) error {
		_, err := b.(taskflow.AuditLog).Audit(ctx, "", 10)
		return err
	})
	add(offers[taskflow.SecretStore](b), "LoadOrStoreSecret", func(ctx context.Context, b taskflow.Backend) error {
		_, err := b.(taskflow.SecretStore).LoadOrStoreSecret(ctx, "name", []byte("value"))
		return err
	})
	return list
}
