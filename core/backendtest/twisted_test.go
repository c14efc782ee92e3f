package backendtest

import (
	"context"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// twisted is a backend of which some methods are replaced.
type twisted struct {
	*memory.Backend
	load, loadPending func(context.Context) ([]taskflow.Record, error)
	save, savePending func(context.Context, []taskflow.Record) (int, error)
	putPending        func(context.Context, []taskflow.Record) error
	claim             func(ctx context.Context, owner string, names []string, limit int) ([]taskflow.Record, error)
	queryPending      func(context.Context, taskflow.Query) (taskflow.Page, error)
	getPending        func(context.Context, string) (taskflow.Record, error)
	join, renew       func(context.Context, taskflow.Instance, time.Duration) error
	leave             func(context.Context, string) error
	expire            func(context.Context) ([]string, error)
	instances         func(context.Context) ([]taskflow.Instance, error)
	reserveKey        func(context.Context, taskflow.Reservation) (string, error)
	releaseKey        func(ctx context.Context, key, taskID string) error
	releaseKeys       func(context.Context, []taskflow.Reservation) error
	takeSlot          func(context.Context, string, time.Time) (bool, error)
	post              func(context.Context, []byte) error
	receive           func(ctx context.Context, after string, limit int) ([][]byte, string, error)
	notify            func(context.Context, func()) error
	putState          func(ctx context.Context, name string, value []byte) error
	states            func(ctx context.Context, prefix string) (map[string][]byte, error)
	putSeries         func(context.Context, []taskflow.SeriesPoint) error
	series            func(ctx context.Context, resolution time.Duration, since, until time.Time) ([]taskflow.SeriesPoint, error)
	pruneSeries       func(ctx context.Context, resolution time.Duration, before time.Time) error
}

// twist replaces methods of a backend that works.
func twist(b *memory.Backend, change func(*twisted)) taskflow.Backend {
	t := &twisted{
		Backend: b, load: b.Load, loadPending: b.LoadPending, save: b.Save, savePending: b.SavePending, putPending: b.PutPending, claim: b.Claim,
		queryPending: b.QueryPending, getPending: b.GetPending, join: b.Join, renew: b.Renew, leave: b.Leave, expire: b.Expire,
		instances: b.Instances, reserveKey: b.ReserveKey, releaseKey: b.ReleaseKey, releaseKeys: b.ReleaseKeys, takeSlot: b.TakeSlot, post: b.Post, receive: b.Receive,
		notify: b.Notify, putState: b.PutState, states: b.States, putSeries: b.PutSeries, series: b.Series, pruneSeries: b.PruneSeries,
	}
	change(t)
	return t
}

func (t *twisted) Load(ctx context.Context) ([]taskflow.Record, error) { return t.load(ctx) }
func (t *twisted) LoadPending(ctx context.Context) ([]taskflow.Record, error) {
	return t.loadPending(ctx)
}

func (t *twisted) Save(ctx context.Context, records []taskflow.Record) (int, error) {
	return t.save(ctx, records)
}

func (t *twisted) SavePending(ctx context.Context, records []taskflow.Record) (int, error) {
	return t.savePending(ctx, records)
}

func (t *twisted) PutPending(ctx context.Context, records []taskflow.Record) error {
	return t.putPending(ctx, records)
}

func (t *twisted) Claim(ctx context.Context, owner string, names []string, limit int) ([]taskflow.Record, error) {
	return t.claim(ctx, owner, names, limit)
}

func (t *twisted) QueryPending(ctx context.Context, q taskflow.Query) (taskflow.Page, error) {
	return t.queryPending(ctx, q)
}

func (t *twisted) GetPending(ctx context.Context, id string) (taskflow.Record, error) {
	return t.getPending(ctx, id)
}

func (t *twisted) Join(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	return t.join(ctx, i, ttl)
}

func (t *twisted) Renew(ctx context.Context, i taskflow.Instance, ttl time.Duration) error {
	return t.renew(ctx, i, ttl)
}

func (t *twisted) Leave(ctx context.Context, id string) error    { return t.leave(ctx, id) }
func (t *twisted) Expire(ctx context.Context) ([]string, error)  { return t.expire(ctx) }
func (t *twisted) Post(ctx context.Context, body []byte) error   { return t.post(ctx, body) }
func (t *twisted) Notify(ctx context.Context, wake func()) error { return t.notify(ctx, wake) }
func (t *twisted) ReleaseKey(ctx context.Context, key, id string) error {
	return t.releaseKey(ctx, key, id)
}

func (t *twisted) ReleaseKeys(ctx context.Context, held []taskflow.Reservation) error {
	return t.releaseKeys(ctx, held)
}

func (t *twisted) Instances(ctx context.Context) ([]taskflow.Instance, error) {
	return t.instances(ctx)
}

func (t *twisted) ReserveKey(ctx context.Context, r taskflow.Reservation) (string, error) {
	return t.reserveKey(ctx, r)
}

func (t *twisted) TakeSlot(ctx context.Context, schedule string, slot time.Time) (bool, error) {
	return t.takeSlot(ctx, schedule, slot)
}

func (t *twisted) Receive(ctx context.Context, after string, limit int) ([][]byte, string, error) {
	return t.receive(ctx, after, limit)
}

func (t *twisted) PutState(ctx context.Context, name string, value []byte) error {
	return t.putState(ctx, name, value)
}

func (t *twisted) States(ctx context.Context, prefix string) (map[string][]byte, error) {
	return t.states(ctx, prefix)
}

func (t *twisted) PutSeries(ctx context.Context, points []taskflow.SeriesPoint) error {
	return t.putSeries(ctx, points)
}

func (t *twisted) Series(ctx context.Context, resolution time.Duration, since, until time.Time) ([]taskflow.SeriesPoint, error) {
	return t.series(ctx, resolution, since, until)
}

func (t *twisted) PruneSeries(ctx context.Context, resolution time.Duration, before time.Time) error {
	return t.pruneSeries(ctx, resolution, before)
}
