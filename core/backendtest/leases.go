package backendtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// leaseTopics: what becomes of the tasks of an instance whose lease ends.
func leaseTopics() []topic {
	const needs = "InstanceStore, Journal and Claimer"
	has := func(b taskflow.Backend) bool {
		return offersBoth[taskflow.InstanceStore, taskflow.Journal](b) && offers[taskflow.Claimer](b)
	}
	return []topic{
		{name: "leases/one that ends frees the tasks, and fences", needs: needs, has: has, test: leaseEnds},
		{name: "leases/one that is over can be renewed until it is removed", needs: needs, has: has, test: overIsNotRemoved},
		{name: "leases/leaving frees the tasks", needs: needs, has: has, test: leavingFrees},
		{name: "leases/tasks of owners that never joined are freed", needs: needs, has: has, test: ghostsAreFreed},
		{name: "leases/eight that expire remove each once", needs: needs, has: has, test: expireOnce},
		{name: "leases/times of records decide nothing", needs: needs, has: has, test: recordClocks},
	}
}

// expired waits until the backend removes exactly these instances.
func (k *kit) expired(ctx context.Context, s taskflow.InstanceStore, want ...string) {
	k.Helper()
	var all []string
	k.eventually(fmt.Sprintf("Expire of %q", want), func() bool {
		got, err := s.Expire(ctx)
		k.must(err, "Expire")
		all = append(all, got...)
		return len(all) >= len(want)
	})
	slices.Sort(all)
	if !slices.Equal(all, want) {
		k.Errorf("Expire removed %q, want %q", all, want)
	}
}

func leaseEnds(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	s, j := here.(taskflow.InstanceStore), here.(taskflow.Journal)
	running, waits := ownedBy("short", full()), ownedBy("short", waiting(1))
	running.Status = taskflow.StatusRunning
	stays := ownedBy("long", waiting(2))
	k.must(s.Join(ctx, instance("long"), time.Hour), "Join")
	k.must(s.Join(ctx, instance("short"), time.Minute), "Join")
	k.put(ctx, here, running, waits, stays)
	if got, err := s.Expire(ctx); len(got) != 0 || err != nil {
		k.Errorf("Expire returned %v, %v though no lease is over", got, err)
	}
	k.compare("LoadPending while both leases last", k.pending(ctx, here), []taskflow.Record{running, waits, stays})
	k.must(s.Renew(ctx, instance("short"), time.Millisecond), "Renew")
	k.expired(ctx, there.(taskflow.InstanceStore), "short")
	k.compare("LoadPending after the lease has ended", k.pending(ctx, here), []taskflow.Record{ownedBy("", running), ownedBy("", waits), stays})
	k.compareInstances(ctx, s, time.Hour, instance("long"))
	if err := s.Renew(ctx, instance("short"), time.Hour); !errors.Is(err, taskflow.ErrLeaseLost) {
		k.Errorf("Renew after Expire returned %v; want taskflow.ErrLeaseLost", err)
	}
	k.claim(ctx, there, "long", names([]taskflow.Record{running, waits, stays}), 10, waits, running)
	if err := j.PutPending(ctx, []taskflow.Record{running}); !errors.Is(err, taskflow.ErrLeaseLost) {
		k.Errorf("PutPending of a task that another has claimed returned %v; want taskflow.ErrLeaseLost", err)
	}
	k.saveCounted(ctx, here, 0, ended(running), ended(waits))
	k.saveCounted(ctx, there, 2, ended(ownedBy("long", running)), ended(stays))
	k.compare("LoadPending at the end", k.pending(ctx, here), []taskflow.Record{ownedBy("long", waits)})
	k.compare("Load at the end", k.history(ctx, here), []taskflow.Record{ended(ownedBy("long", running)), ended(stays)})
	k.must(s.Join(ctx, instance("short"), time.Hour), "Join after Expire")
	k.compareInstances(ctx, s, time.Hour, instance("long"), instance("short"))
}

// overIsNotRemoved: one that was slow, but that nobody has missed, goes on.
func overIsNotRemoved(k *kit) {
	b, ctx := k.start(), k.context()
	s := b.(taskflow.InstanceStore)
	k.must(s.Join(ctx, instance("slow"), time.Millisecond), "Join")
	k.put(ctx, b, ownedBy("slow", waiting(1)))
	k.must(s.Join(ctx, instance("clock"), time.Hour), "Join")
	end := k.seen(ctx, s, "slow").ExpiresAt
	k.eventually("the backend's clock passes the end of the lease", func() bool {
		k.must(s.Renew(ctx, instance("clock"), time.Hour), "Renew")
		return k.seen(ctx, s, "clock").SeenAt.After(end.Add(time.Millisecond))
	})
	k.must(s.Renew(ctx, instance("slow"), time.Hour), "Renew of a lease that is over but not removed")
	if got, err := s.Expire(ctx); len(got) != 0 || err != nil {
		k.Errorf("Expire after that returned %v, %v; want none", got, err)
	}
	k.compare("LoadPending", k.pending(ctx, b), []taskflow.Record{ownedBy("slow", waiting(1))})
	k.compareInstances(ctx, s, time.Hour, instance("clock"), instance("slow"))
}

func leavingFrees(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	s := here.(taskflow.InstanceStore)
	k.must(s.Join(ctx, instance("leaves"), time.Hour), "Join")
	k.must(s.Join(ctx, instance("stays"), time.Hour), "Join")
	k.put(ctx, here, ownedBy("leaves", waiting(1)), ownedBy("leaves", waiting(2)), ownedBy("stays", waiting(3)))
	k.must(s.Leave(ctx, "leaves"), "Leave")
	k.compare("LoadPending after Leave", k.pending(ctx, there), []taskflow.Record{waiting(1), waiting(2), ownedBy("stays", waiting(3))})
	k.claim(ctx, there, "stays", []string{waiting(1).Name}, 10, waiting(1), waiting(2))
}

func ghostsAreFreed(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	k.must(here.(taskflow.InstanceStore).Join(ctx, instance("stays"), time.Hour), "Join")
	k.put(ctx, here, ownedBy("ghost", waiting(1)), waiting(2), ownedBy("stays", waiting(3)))
	if got, err := there.(taskflow.InstanceStore).Expire(ctx); len(got) != 0 || err != nil {
		k.Errorf("Expire returned %q, %v; no instance was to be removed", got, err)
	}
	k.compare("LoadPending after Expire", k.pending(ctx, here), []taskflow.Record{waiting(1), waiting(2), ownedBy("stays", waiting(3))})
	k.claim(ctx, there, "heir", []string{waiting(1).Name}, 10, waiting(1), waiting(2))
}

func expireOnce(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	const instances = 20
	var rows []taskflow.Record
	for n := range instances {
		id := fmt.Sprintf("instance %02d", n)
		k.must(here.(taskflow.InstanceStore).Join(ctx, instance(id), time.Millisecond), "Join")
		rows = append(rows, ownedBy(id, waiting(n)))
	}
	k.put(ctx, here, rows...)
	limited, cancel := context.WithTimeout(ctx, k.patience)
	defer cancel()
	var (
		wg  sync.WaitGroup
		got [8][]string
		bad [8]error
	)
	for i := range got {
		b := []taskflow.Backend{here, there}[i%2]
		wg.Go(func() { got[i], bad[i] = expireAll(limited, b.(taskflow.InstanceStore)) })
	}
	wg.Wait()
	var all []string
	for i := range got {
		k.must(bad[i], "Expire by one of eight")
		all = append(all, got[i]...)
	}
	slices.Sort(all)
	if once := slices.Compact(slices.Clone(all)); len(once) != instances || len(all) != instances {
		k.Errorf("Expire by eight at once removed %d instances %d times, want %d once each", len(once), len(all), instances)
	}
	for i := range rows {
		rows[i].Owner = ""
	}
	k.compare("LoadPending after Expire by eight", k.pending(ctx, here), rows)
}

// expireAll expires until there are no instances.
func expireAll(ctx context.Context, s taskflow.InstanceStore) (all []string, err error) {
	for {
		got, err := s.Expire(ctx)
		if err != nil {
			return all, err
		}
		all = append(all, got...)
		left, err := s.Instances(ctx)
		if err != nil || len(left) == 0 {
			return all, err
		}
	}
}

// recordClocks: records whose times are an hour off, and their ids with them, are freed and claimed like any others.
func recordClocks(k *kit) {
	b, ctx := k.start(), k.context()
	s := b.(taskflow.InstanceStore)
	now := time.Now().UTC()
	var kept, freed []taskflow.Record
	for i, off := range []time.Duration{-time.Hour, 0, time.Hour} {
		r := waiting(i)
		at := now.Add(off)
		r.ID, r.CreatedAt, r.StartTime, r.RunAt = idAt(at, i), at, at, at.Add(time.Minute)
		kept = append(kept, ownedBy("long", r))
		r.ID = idAt(at, 10+i)
		freed = append(freed, ownedBy("short", r))
	}
	k.must(s.Join(ctx, instance("long"), time.Hour), "Join")
	k.must(s.Join(ctx, instance("short"), time.Hour), "Join")
	k.put(ctx, b, append(slices.Clone(kept), freed...)...)
	for range 3 {
		got, err := s.Expire(ctx)
		k.must(err, "Expire")
		if len(got) != 0 {
			k.Errorf("Expire removed %q though both leases have an hour left: the times of records say nothing", got)
		}
	}
	k.claim(ctx, b, "heir", names(kept), 10)
	k.must(s.Renew(ctx, instance("short"), time.Millisecond), "Renew")
	k.expired(ctx, s, "short")
	k.claim(ctx, b, "heir", names(kept), 10, freed...)
	for i := range freed {
		freed[i].Owner = "heir"
	}
	k.compare("LoadPending", k.pending(ctx, b), append(kept, freed...))
}
