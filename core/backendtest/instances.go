package backendtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func instanceTopics() []topic {
	const needs = "InstanceStore"
	has := offers[taskflow.InstanceStore]
	return []topic{
		{name: "instances/every field comes back", needs: needs, has: has, test: instanceKeepsFields},
		{name: "instances/in the order of their ids", needs: needs, has: has, test: instancesInOrder},
		{name: "instances/renewing replaces and prolongs", needs: needs, has: has, test: renewing},
		{name: "instances/who has left cannot renew", needs: needs, has: has, test: leaving},
		{name: "instances/their own clocks decide nothing", needs: needs, has: has, test: instanceClocks},
	}
}

// instance returns one in which every field has a value that no other field has.
func instance(id string) taskflow.Instance {
	return taskflow.Instance{
		ID: id, Host: "web-1", PID: 4711, Program: "shop", Version: "v1.2.3", StartedAt: base,
		SeenAt: base.Add(-time.Hour), ExpiresAt: base.Add(time.Hour), // the backend's to set: not these
		Pools:   []taskflow.PoolInfo{{Name: "default", Limit: 8, Running: 3, Waiting: 5}, {Name: "cpu ünï", Limit: 2}},
		Running: 31, Waiting: 32, DegradedSince: base.Add(time.Minute),
		Live: []taskflow.Record{full().Summary(), finished(1)},
	}
}

// compareInstances leaves out when they were seen and what the backend decides, but for their difference.
func (k *kit) compareInstances(ctx context.Context, s taskflow.InstanceStore, ttl time.Duration, want ...taskflow.Instance) {
	k.Helper()
	got, err := s.Instances(ctx)
	k.must(err, "Instances")
	if len(got) != len(want) {
		k.Fatalf("Instances returned %d, want %d", len(got), len(want))
	}
	for i, g := range got {
		w := want[i]
		if d := g.ExpiresAt.Sub(g.SeenAt) - ttl; d.Abs() > 5*time.Millisecond {
			k.Errorf("Instances: the lease of %s is %v long, want %v", g.ID, g.ExpiresAt.Sub(g.SeenAt), ttl)
		}
		if !same(g.StartedAt, w.StartedAt) || !same(g.DegradedSince, w.DegradedSince) {
			k.Errorf("Instances: %s has the times %v and %v, want %v and %v", g.ID, g.StartedAt, g.DegradedSince, w.StartedAt, w.DegradedSince)
		}
		k.compare("Instances: the live tasks of "+g.ID, g.Live, w.Live)
		g.StartedAt, g.SeenAt, g.ExpiresAt, g.DegradedSince, g.Live = w.StartedAt, w.SeenAt, w.ExpiresAt, w.DegradedSince, w.Live
		if !reflect.DeepEqual(g, w) {
			k.Errorf("Instances: returned %+v, want %+v", g, w)
		}
	}
}

func instanceKeepsFields(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	i := instance("only")
	v := reflect.ValueOf(i)
	for n := range v.NumField() {
		if v.Field(n).IsZero() {
			k.Fatalf("the test instance has no value for %s: give it one in backendtest's instance()", v.Type().Field(n).Name)
		}
	}
	s := here.(taskflow.InstanceStore)
	k.compareInstances(ctx, s, 0)
	k.must(s.Join(ctx, i, time.Hour), "Join")
	k.compareInstances(ctx, there.(taskflow.InstanceStore), time.Hour, i)
	bare := taskflow.Instance{ID: "only", Host: "'; DROP TABLE --", StartedAt: time.Now().In(time.FixedZone("x", 3600))}
	k.must(s.Join(ctx, bare, time.Minute), "Join again")
	k.compareInstances(ctx, there.(taskflow.InstanceStore), time.Minute, bare)
	i.Live = several(taskflow.MaxLiveShown, func(n int) taskflow.Record {
		r := finished(n)
		r.Error = hostile()[n%len(hostile())]
		return r
	})
	k.must(s.Renew(ctx, i, time.Hour), "Renew")
	k.compareInstances(ctx, there.(taskflow.InstanceStore), time.Hour, i)
}

func instancesInOrder(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	var want []taskflow.Instance
	for n := range 9 {
		want = append(want, instance(fmt.Sprintf("instance %d", n)))
	}
	for n := range want { // not in this order
		k.must(here.(taskflow.InstanceStore).Join(ctx, want[n*4%9], time.Hour), "Join")
	}
	k.compareInstances(ctx, there.(taskflow.InstanceStore), time.Hour, want...)
}

func (k *kit) seen(ctx context.Context, s taskflow.InstanceStore, id string) taskflow.Instance {
	k.Helper()
	all, err := s.Instances(ctx)
	k.must(err, "Instances")
	at := slices.IndexFunc(all, func(i taskflow.Instance) bool { return i.ID == id })
	if at < 0 {
		k.Fatalf("Instances: %q is not among the %d", id, len(all))
	}
	return all[at]
}

func renewing(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	s := here.(taskflow.InstanceStore)
	if err := s.Renew(ctx, instance("one"), time.Hour); !errors.Is(err, taskflow.ErrLeaseLost) {
		k.Errorf("Renew of an instance that has not joined returned %v; want taskflow.ErrLeaseLost", err)
	}
	i := instance("one")
	k.must(s.Join(ctx, i, time.Minute), "Join")
	first := k.seen(ctx, s, "one")
	i.Running, i.Live, i.DegradedSince = 99, nil, time.Time{}
	k.eventually("Renew moves last_seen on", func() bool {
		k.must(there.(taskflow.InstanceStore).Renew(ctx, i, time.Hour), "Renew")
		return k.seen(ctx, s, "one").SeenAt.After(first.SeenAt)
	})
	k.compareInstances(ctx, s, time.Hour, i)
	if got, err := s.Expire(ctx); len(got) != 0 || err != nil {
		k.Errorf("Expire returned %v, %v while the only lease has an hour left", got, err)
	}
	k.compareInstances(ctx, s, time.Hour, i)
}

func leaving(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	s := here.(taskflow.InstanceStore)
	k.must(s.Join(ctx, instance("one"), time.Hour), "Join")
	k.must(s.Join(ctx, instance("two"), time.Hour), "Join")
	for range 2 {
		k.must(s.Leave(ctx, "one"), "Leave")
		k.compareInstances(ctx, there.(taskflow.InstanceStore), time.Hour, instance("two"))
	}
	for _, id := range []string{"", "unknown", "' OR 1=1 --", "%", "*"} {
		k.must(s.Leave(ctx, id), "Leave of an unknown id")
	}
	k.compareInstances(ctx, there.(taskflow.InstanceStore), time.Hour, instance("two"))
	if err := s.Renew(ctx, instance("one"), time.Hour); !errors.Is(err, taskflow.ErrLeaseLost) {
		k.Errorf("Renew of an instance that has left returned %v; want taskflow.ErrLeaseLost", err)
	}
	k.must(s.Join(ctx, instance("one"), time.Hour), "Join after Leave")
	k.compareInstances(ctx, s, time.Hour, instance("one"), instance("two"))
}

// instanceClocks: what an instance says of the time, and when it lets a lease end, has nothing to do with each other.
func instanceClocks(k *kit) {
	b, ctx := k.start(), k.context()
	s := b.(taskflow.InstanceStore)
	now := time.Now()
	var live []string
	for _, off := range []time.Duration{-time.Hour, 0, time.Hour} {
		i := instance("lives " + off.String())
		i.StartedAt, i.SeenAt, i.ExpiresAt = now.Add(off), now.Add(off), now.Add(off+time.Second)
		k.must(s.Join(ctx, i, time.Hour), "Join")
		k.must(s.Renew(ctx, i, time.Hour), "Renew")
		live = append(live, i.ID)
		i.ID = "ends " + off.String()
		i.ExpiresAt = now.Add(off + time.Hour)
		k.must(s.Join(ctx, i, time.Millisecond), "Join")
	}
	var over []string
	k.eventually("Expire of the three leases of 1 ms, by instances whose clocks are an hour off", func() bool {
		got, err := s.Expire(ctx)
		k.must(err, "Expire")
		over = append(over, got...)
		return len(over) >= 3
	})
	slices.Sort(over)
	if want := []string{"ends -1h0m0s", "ends 0s", "ends 1h0m0s"}; !slices.Equal(over, want) {
		k.Errorf("Expire removed %q, want %q: the clocks of instances are an hour off, the backend's counts", over, want)
	}
	for _, id := range live {
		k.seen(ctx, s, id)
	}
}
