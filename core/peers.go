package taskflow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// peers is how a manager lives with the other instances of a shared backend: it renews its lease, finds those that have died,
// takes over what they held, and hears what others ask for. One goroutine does all that, and another listens where the backend can
// notify.
type peers struct {
	m      *Manager
	store  InstanceStore
	claims Claimer   // nil: the backend has none
	mail   Messenger // nil: the backend has none
	wake   chan struct{}

	due chan struct{} // something may be there to take over

	position string      // in the mail; used by run alone
	shown    string      // what the others were told of the live tasks; used by run alone
	unsure   bool        // a claim failed, which the backend may have carried out; used by claim alone
	outcast  atomic.Bool // the lease is lost, and there is no other yet: nothing durable is accepted
	trouble  trouble

	naming sync.Mutex // held while the name changes, and while jobs are taken in under it

	mu      sync.Mutex
	renewed time.Time // when the last heartbeat that arrived was sent
	shared  bool      // others were there then
	others  []Instance
	asked   time.Time // when others was read
}

const (
	mailPoll     = time.Second      // how often messages are asked for, and others are told of changed live tasks
	peersTimeout = 5 * time.Second  // for one call; a heartbeat has a third of the lease, if that is less
	claimTimeout = 30 * time.Second // for one claim, of a thousand rows, and for one look at a row or a page of them
	maxCrashes   = 3                // processes that may die with a task before it is taken for the reason
)

func newPeers(m *Manager, store InstanceStore) *peers {
	p := &peers{m: m, store: store, wake: make(chan struct{}, 1), due: make(chan struct{}, 1)}
	p.claims, _ = m.cfg.backend.(Claimer)
	p.mail, _ = m.cfg.backend.(Messenger)
	return p
}

// join makes this instance known, and frees what dead ones hold. Start calls it before it takes over what waits.
func (p *peers) join(ctx context.Context) error {
	sent := time.Now()
	if err := p.store.Join(ctx, p.ownInstance(), p.m.cfg.lease); err != nil {
		return fmt.Errorf("join the instances: %w", err)
	}
	p.renewedAt(sent)
	if _, err := p.store.Expire(ctx); err != nil {
		return fmt.Errorf("look for dead instances: %w", err)
	}
	if p.mail != nil {
		_, position, err := p.mail.Receive(ctx, "", 1)
		if err != nil {
			return fmt.Errorf("find the newest message: %w", err)
		}
		p.position = position
	}
	return nil
}

// leave says goodbye; what could not be saved is free for others.
func (p *peers) leave(ctx context.Context) error {
	if err := p.store.Leave(ctx, p.m.Instance()); err != nil {
		return fmt.Errorf("taskflow: stop: leave the instances: %w", err)
	}
	return nil
}

// describe is what others see of this process.
func describe() Instance {
	i := Instance{PID: os.Getpid(), StartedAt: time.Now().UTC().Round(0)}
	if host, err := os.Hostname(); err == nil {
		i.Host = host
	}
	if len(os.Args) > 0 {
		i.Program = filepath.Base(os.Args[0])
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		i.Version = info.Main.Version
	}
	return i
}

// ownInstance is this one as it is now.
func (p *peers) ownInstance() Instance {
	i := p.m.asInstance(p.m.self)
	i.Live = p.m.rowless(MaxLiveShown)
	return i
}

// seen is this one as others see it, but for its tasks.
func (p *peers) seen() Instance {
	i := p.m.asInstance(p.m.self)
	p.mu.Lock()
	defer p.mu.Unlock()
	i.SeenAt = p.renewed.UTC().Round(0)
	i.ExpiresAt = i.SeenAt.Add(p.m.cfg.lease)
	return i
}

// run keeps the lease until ctx ends. Manager.services waits for it.
func (p *peers) run(ctx context.Context) {
	beat := time.NewTicker(p.m.cfg.lease / 3)
	defer beat.Stop()
	poll := time.NewTicker(min(mailPoll, p.m.cfg.lease/3))
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			p.beat(ctx)
		case <-poll.C:
			if p.fence(ctx) { // soon: others do not wait for the next heartbeat here
				continue
			}
			p.listen(ctx)
			p.show(ctx)
		case <-p.wake:
			p.listen(ctx)
			signal(p.due)
		}
	}
}

// signal lets the goroutine that waits for c look, now or when it has time.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// notified wakes run when the backend says that something has changed, until ctx ends. Manager.services waits for it.
func (p *peers) notified(ctx context.Context, n Notifier) {
	for wait := retryFirst; ctx.Err() == nil; wait = min(2*wait, retryLast) {
		began := time.Now()
		err := n.Notify(ctx, p.rouse)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > retryLast {
			wait = retryFirst
		}
		p.m.log.Warn("taskflow: the backend does not notify; it is polled until it does", "error", err)
		pause(ctx, wait)
	}
}

func (p *peers) rouse() { signal(p.wake) }

// beat renews the lease, finds dead instances and takes over what they held. An instance that finds its lease lost gives up what
// it held and goes on under another name.
func (p *peers) beat(ctx context.Context) {
	if p.outcast.Load() {
		p.rejoin(ctx)
		return
	}
	if p.fence(ctx) {
		return
	}
	switch err := p.renew(ctx); {
	case err == nil:
		p.trouble.over(p.m, "heartbeat")
		p.m.keys.renew(ctx)
	case errors.Is(err, ErrLeaseLost):
		p.m.log.Error("taskflow: the lease is lost: what is durable here is another instance's now", "lease", p.m.cfg.lease)
		p.lapse(ctx)
		return
	case ctx.Err() == nil:
		p.trouble.report(p.m, "heartbeat", err)
		return
	}
	dead, err := p.call(ctx, p.store.Expire)
	if err != nil {
		if ctx.Err() == nil {
			p.m.log.Warn("taskflow: dead instances cannot be looked for", "error", err)
		}
		return
	}
	if len(dead) > 0 {
		p.m.log.Warn("taskflow: instances have died", "instances", dead)
	}
	signal(p.due)
}

// fence gives up what this instance holds when its lease is over and others may have noticed; it reports whether it did.
func (p *peers) fence(ctx context.Context) bool {
	if p.outcast.Load() || !p.late() {
		return false
	}
	p.m.log.Error("taskflow: the lease could not be renewed in time: what is durable here may be another instance's now", "lease", p.m.cfg.lease)
	p.lapse(ctx)
	return true
}

func (p *peers) call(ctx context.Context, f func(context.Context) ([]string, error)) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, peersTimeout)
	defer cancel()
	return f(ctx)
}

func (p *peers) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, min(peersTimeout, p.m.cfg.lease/3))
	defer cancel()
	sent := time.Now()
	i := p.ownInstance()
	if err := p.store.Renew(ctx, i, p.m.cfg.lease); err != nil {
		return err
	}
	p.shown = digest(i.Live)
	p.renewedAt(sent)
	if others, err := p.store.Instances(ctx); err == nil {
		p.met(others)
	}
	return nil
}

// during keeps the lease while f runs: Start takes over what waits, and the heartbeat begins after that. A nil *peers has no lease.
func (p *peers) during(ctx context.Context, f func(context.Context) error) error {
	if p == nil {
		return f(ctx)
	}
	renewing, stop := context.WithCancel(ctx)
	var beating sync.WaitGroup
	beating.Go(func() {
		beat := time.NewTicker(p.m.cfg.lease / 3)
		defer beat.Stop()
		for {
			select {
			case <-renewing.Done():
				return
			case <-beat.C:
				if err := p.renew(renewing); err != nil && renewing.Err() == nil {
					p.trouble.report(p.m, "heartbeat", err) // the first heartbeat will know what to do
				}
			}
		}
	})
	defer beating.Wait()
	defer stop()
	return f(ctx)
}

func (p *peers) renewedAt(sent time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.renewed = sent
}

func (p *peers) met(all []Instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.others = slices.DeleteFunc(all, func(i Instance) bool { return i.ID == p.m.Instance() })
	p.shared, p.asked = len(p.others) > 0, time.Now()
}

// late reports whether the lease is over and another instance may have noticed. One that was alone keeps what it has: when
// somebody came meanwhile, Renew tells.
func (p *peers) late() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shared && time.Since(p.renewed) > p.m.cfg.lease
}

// lapse gives up everything that others may hold by now, and joins anew.
func (p *peers) lapse(ctx context.Context) {
	old := p.m.Instance()
	p.outcast.Store(true)
	p.naming.Lock()
	p.m.rename()
	p.m.keys.lapsed()
	n := p.m.loseAll(old)
	p.naming.Unlock()
	p.m.log.Warn("taskflow: goes on as another instance", "was", old, "is", p.m.Instance(), "given_up", n)
	if p.rejoin(ctx) {
		ctx, cancel := context.WithTimeout(ctx, peersTimeout)
		defer cancel()
		if err := p.store.Leave(ctx, old); err != nil {
			p.trouble.report(p.m, "heartbeat", err) // what the old one still has is free when its lease is over
		}
	}
}

// rejoin makes this instance known under its new name. Until that succeeds, each heartbeat tries again.
func (p *peers) rejoin(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, peersTimeout)
	defer cancel()
	sent := time.Now()
	if err := p.store.Join(ctx, p.ownInstance(), p.m.cfg.lease); err != nil {
		p.trouble.report(p.m, "heartbeat", err)
		return false
	}
	p.trouble.over(p.m, "heartbeat")
	p.renewedAt(sent)
	p.outcast.Store(false)
	p.m.keys.renew(ctx) // before the old name leaves, which holds them still
	return true
}

// show tells the others, between the heartbeats, that the live tasks without a row have changed.
func (p *peers) show(ctx context.Context) {
	p.mu.Lock()
	alone := !p.shared
	p.mu.Unlock()
	if alone || p.outcast.Load() || digest(p.m.rowless(MaxLiveShown)) == p.shown {
		return
	}
	if err := p.renew(ctx); errors.Is(err, ErrLeaseLost) {
		p.lapse(ctx)
	} // other errors are the next heartbeat's to report
}

// digest tells whether two lists of live tasks look alike.
func digest(live []Record) string {
	var b []byte
	for i := range live {
		r := &live[i]
		b = fmt.Appendf(b, "%s%s%d;", r.ID, r.Status, r.Attempts)
	}
	return string(b)
}

// all returns the other instances. What they said is at most a second old.
func (p *peers) all(ctx context.Context) ([]Instance, error) {
	p.mu.Lock()
	others, fresh := p.others, time.Since(p.asked) < mailPoll
	p.mu.Unlock()
	if !fresh {
		all, err := p.store.Instances(ctx)
		if err != nil {
			return nil, err
		}
		p.met(all)
		p.mu.Lock()
		others = p.others
		p.mu.Unlock()
	}
	return others, nil
}
