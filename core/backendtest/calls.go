package backendtest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// call is one method with some arguments.
type call struct {
	name string
	do   func(ctx context.Context, b taskflow.Backend) error
	// fine is an error that other calls can be the reason of: the method works. Nil: none.
	fine error
}

// run is do, without the error that is fine.
func (c call) run(ctx context.Context, b taskflow.Backend) error {
	err := c.do(ctx, b)
	if c.fine != nil && errors.Is(err, c.fine) {
		return nil
	}
	return err
}

// owner holds what the calls put and claim.
const owner = "owner"

// calls returns all methods that b has, but Open and Close; those that take records take so many.
func calls(b taskflow.Backend, size int) []call {
	list := []call{
		{"Save", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.Save(ctx, several(size, finished))
			return err
		}, nil},
		{"Load", func(ctx context.Context, b taskflow.Backend) error { _, err := b.Load(ctx); return err }, nil},
		{"SavePending", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.SavePending(ctx, several(size, waiting))
			return err
		}, nil},
		{"LoadPending", func(ctx context.Context, b taskflow.Backend) error { _, err := b.LoadPending(ctx); return err }, nil},
		{"ClearPending", func(ctx context.Context, b taskflow.Backend) error { return b.ClearPending(ctx) }, nil},
	}
	list = append(list, historyCalls()...)
	list = append(list, pendingCalls(size)...)
	list = append(list, sharingCalls()...)
	list = append(list, seriesCalls()...)
	var has []call
	for _, c := range list {
		if t, optional := optionalOf()[c.name]; !optional || t(b) {
			has = append(has, c)
		}
	}
	return has
}

// optionalOf says which optional interface a method belongs to.
func optionalOf() map[string]func(taskflow.Backend) bool {
	return map[string]func(taskflow.Backend) bool{
		"Query": offers[taskflow.Querier], "Get": offers[taskflow.Querier], "Count": offers[taskflow.Querier],
		"Stats": offers[taskflow.StatsReader], "DeleteBefore": offers[taskflow.Deleter], "Delete": offers[taskflow.RecordDeleter],
		"Claim": offers[taskflow.Claimer], "PutPending": offers[taskflow.Journal],
		"QueryPending": offers[taskflow.PendingQuerier], "GetPending": offers[taskflow.PendingQuerier],
		"AppendAudit": offers[taskflow.AuditLog], "Audit": offers[taskflow.AuditLog], "LoadOrStoreSecret": offers[taskflow.SecretStore],
		"Join": offers[taskflow.InstanceStore], "Renew": offers[taskflow.InstanceStore], "Leave": offers[taskflow.InstanceStore],
		"Expire": offers[taskflow.InstanceStore], "Instances": offers[taskflow.InstanceStore],
		"ReserveKey": offers[taskflow.KeyStore], "ReleaseKey": offers[taskflow.KeyStore], "ReleaseKeys": offers[taskflow.KeyReleaser],
		"TakeSlot": offers[taskflow.SlotStore],
		"Post":     offers[taskflow.Messenger], "Receive": offers[taskflow.Messenger], "Notify": offers[taskflow.Notifier],
		"PutState": offers[taskflow.StateStore], "State": offers[taskflow.StateStore], "States": offers[taskflow.StateStore],
		"DeleteState": offers[taskflow.StateStore], "PutSeries": offers[taskflow.SeriesStore], "Series": offers[taskflow.SeriesStore],
		"PruneSeries": offers[taskflow.SeriesStore],
	}
}

func historyCalls() []call {
	var entries atomic.Int64
	return []call{
		{"Query", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.Querier).Query(ctx, taskflow.Query{Limit: 10})
			return err
		}, nil},
		{"Get", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.Querier).Get(ctx, finished(0).ID)
			return err
		}, taskflow.ErrNotFound},
		{"Count", func(ctx context.Context, b taskflow.Backend) error {
			_, _, err := b.(taskflow.Querier).Count(ctx, taskflow.Filter{}, 10)
			return err
		}, nil},
		{"Stats", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.StatsReader).Stats(ctx)
			return err
		}, nil},
		{"DeleteBefore", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.Deleter).DeleteBefore(ctx, base.Add(time.Hour))
			return err
		}, nil},
		{"Delete", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.RecordDeleter).Delete(ctx, []string{idAt(base, 1<<30)})
			return err
		}, nil},
		{"AppendAudit", func(ctx context.Context, b taskflow.Backend) error {
			return b.(taskflow.AuditLog).AppendAudit(ctx, taskflow.AuditEntry{ID: idAt(base, int(entries.Add(1))), Time: base, Action: "login"})
		}, nil},
		{"Audit", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.AuditLog).Audit(ctx, "", 10)
			return err
		}, nil},
		{"LoadOrStoreSecret", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.SecretStore).LoadOrStoreSecret(ctx, "name", []byte("value"))
			return err
		}, nil},
	}
}

func pendingCalls(size int) []call {
	return []call{
		{"Claim", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.Claimer).Claim(ctx, owner, []string{waiting(0).Name}, size)
			return err
		}, nil},
		{"PutPending", func(ctx context.Context, b taskflow.Backend) error {
			return b.(taskflow.Journal).PutPending(ctx, several(size, func(n int) taskflow.Record { return ownedBy(owner, waiting(n)) }))
		}, nil},
		{"QueryPending", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.PendingQuerier).QueryPending(ctx, taskflow.Query{Limit: 10})
			return err
		}, nil},
		{"GetPending", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.PendingQuerier).GetPending(ctx, waiting(0).ID)
			return err
		}, taskflow.ErrNotFound},
	}
}

func sharingCalls() []call {
	var slots atomic.Int64
	return []call{
		{"Join", func(ctx context.Context, b taskflow.Backend) error {
			return b.(taskflow.InstanceStore).Join(ctx, instance(owner), time.Hour)
		}, nil},
		{"Renew", func(ctx context.Context, b taskflow.Backend) error {
			return b.(taskflow.InstanceStore).Renew(ctx, instance(owner), time.Hour)
		}, taskflow.ErrLeaseLost},
		{"Leave", func(ctx context.Context, b taskflow.Backend) error {
			return b.(taskflow.InstanceStore).Leave(ctx, owner)
		}, nil},
		{"Expire", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.InstanceStore).Expire(ctx)
			return err
		}, nil},
		{"Instances", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.InstanceStore).Instances(ctx)
			return err
		}, nil},
		{"ReserveKey", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.KeyStore).ReserveKey(ctx, reservation("key", 1))
			return err
		}, nil},
		{"ReleaseKey", func(ctx context.Context, b taskflow.Backend) error {
			return b.(taskflow.KeyStore).ReleaseKey(ctx, "key", waiting(1).ID)
		}, nil},
		{"ReleaseKeys", func(ctx context.Context, b taskflow.Backend) error {
			return b.(taskflow.KeyReleaser).ReleaseKeys(ctx, []taskflow.Reservation{reservation("key", 1), reservation("other", 2)})
		}, nil},
		{"TakeSlot", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.SlotStore).TakeSlot(ctx, "nightly", base.Add(time.Duration(slots.Add(1))*time.Hour))
			return err
		}, nil},
		{"Post", func(ctx context.Context, b taskflow.Backend) error {
			return b.(taskflow.Messenger).Post(ctx, fmt.Appendf(nil, "cancel %d", 1))
		}, nil},
		{"Receive", func(ctx context.Context, b taskflow.Backend) error {
			_, _, err := b.(taskflow.Messenger).Receive(ctx, "", 10)
			return err
		}, nil},
		{"Notify", func(ctx context.Context, b taskflow.Backend) error {
			brief, cancel := context.WithTimeout(ctx, 20*time.Millisecond) // it returns only when its context ends
			defer cancel()
			err := b.(taskflow.Notifier).Notify(brief, func() {})
			if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
				return nil
			}
			return err
		}, nil},
	}
}

func seriesCalls() []call {
	return []call{
		{"PutState", func(ctx context.Context, b taskflow.Backend) error {
			return b.(taskflow.StateStore).PutState(ctx, "name", []byte("value"))
		}, nil},
		{"State", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.StateStore).State(ctx, "name")
			return err
		}, taskflow.ErrNotFound},
		{"States", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.StateStore).States(ctx, "")
			return err
		}, nil},
		{"DeleteState", func(ctx context.Context, b taskflow.Backend) error {
			return b.(taskflow.StateStore).DeleteState(ctx, "name")
		}, nil},
		{"PutSeries", func(ctx context.Context, b taskflow.Backend) error {
			return b.(taskflow.SeriesStore).PutSeries(ctx, []taskflow.SeriesPoint{pointAt(time.Minute, 0, owner, "data")})
		}, nil},
		{"Series", func(ctx context.Context, b taskflow.Backend) error {
			_, err := b.(taskflow.SeriesStore).Series(ctx, time.Minute, minute, minute.Add(time.Hour))
			return err
		}, nil},
		{"PruneSeries", func(ctx context.Context, b taskflow.Backend) error {
			return b.(taskflow.SeriesStore).PruneSeries(ctx, time.Minute, minute.Add(time.Hour))
		}, nil},
	}
}
