package taskflow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// saveTime is how long Stop may take, after its context has ended, to store what remains.
const saveTime = 10 * time.Second

// lifecycle is where the manager stands: new, starting, started, stopping, stopped.
type lifecycle struct {
	mu       sync.Mutex
	starting chan struct{}      // Start was called; closed when it is over
	abort    context.CancelFunc // ends what Start does
	services context.CancelFunc // ends the timers
	done     chan struct{}      // Stop was called; closed when it is over
	err      error              // what Stop returned

	begun     atomic.Bool     // Start was called
	warned    atomic.Bool     // that tasks wait for Start
	active    atomic.Bool     // between Start and Stop
	stopping  atomic.Bool     // Stop was called: dispatch asks verdict
	killed    atomic.Bool     // the drain time is over
	saves     bool            // what can be kept is saved; set before stopping
	drainEnds int64           // when the drain time ends; 0: never; set before stopping
	killing   context.Context // ends with killed; made by New
	kill      context.CancelFunc
	shelf     shelf
	abandoned bool // functions that ignore their context are still running
}

func (l *lifecycle) running() bool { return l.active.Load() }

// saving reports whether the manager is stopping, and still takes what it can save for the next start.
func (l *lifecycle) saving() bool { return l.stopping.Load() && l.saves }

func (l *lifecycle) killAll() {
	l.killed.Store(true)
	l.kill()
}

// shelf collects the jobs that Stop saves.
type shelf struct {
	mu   sync.Mutex
	jobs []*job
}

func (s *shelf) take() (jobs []*job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	jobs, s.jobs = s.jobs, nil
	return jobs
}

func (s *shelf) put(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = append(s.jobs, j)
}

// Start opens the backend, recovers the tasks that wait in it, and starts the workers. ctx bounds only Start itself. Errors:
// the backend cannot be opened or read; started twice; ErrStopped, also when Stop is called meanwhile. After an error
// nothing runs, Add refuses, and the manager cannot be started again.
func (m *Manager) Start(ctx context.Context) error {
	l := &m.life
	l.mu.Lock()
	switch {
	case l.done != nil:
		l.mu.Unlock()
		return fmt.Errorf("taskflow: start: %w: make a new manager", ErrStopped)
	case l.starting != nil:
		l.mu.Unlock()
		return errors.New("taskflow: start: already started (tasks.Run does that)")
	}
	l.begun.Store(true)
	l.starting = make(chan struct{})
	defer close(l.starting)
	ctx, l.abort = context.WithCancel(ctx)
	defer l.abort()
	l.mu.Unlock()

	for _, o := range m.cfg.observers { // before the backend is read: they hear of the tasks taken over
		s := m.Subscribe()
		m.observers.Go(func() { m.observe(o, s) })
	}
	m.warnOfRequeue()
	err := m.openStore(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && l.done != nil {
		err = errors.Join(fmt.Errorf("taskflow: start: %w meanwhile", ErrStopped), m.undoJoin(ctx), m.closeStore())
	}
	if err != nil {
		m.registry.close()
		return err
	}
	m.launch()
	return nil
}

// launch starts what runs until Stop.
func (m *Manager) launch() {
	services, stop := context.WithCancel(context.Background())
	m.life.services = stop
	m.services.Go(func() { m.timers.run(services) })
	if m.history != nil {
		m.services.Go(m.history.run)
	}
	if m.journal != nil {
		m.services.Go(m.journal.run)
	}
	if m.peers != nil {
		m.services.Go(func() { m.peers.run(services) })
		if m.peers.claims != nil {
			m.services.Go(func() { m.peers.claim(services) })
		}
		if n, ok := m.cfg.backend.(Notifier); ok {
			m.services.Go(func() { m.peers.notified(services, n) })
		}
	}
	m.series.start(time.Now())
	m.services.Go(func() { m.series.run(services) })
	m.life.active.Store(true)
	for _, p := range m.pools {
		p.start()
	}
	m.schedules.launch()
}

// warnOfRequeue says at start what cannot be kept without a backend.
func (m *Manager) warnOfRequeue() {
	for _, info := range m.Tasks() {
		if info.Requeue && m.store == nil {
			m.log.Warn("taskflow: without a backend, waiting tasks are lost when the process stops, in spite of Requeue", "task", info.Name)
		}
	}
}

func (m *Manager) openStore(ctx context.Context) error {
	if m.store == nil {
		return nil
	}
	if o, ok := m.cfg.backend.(Opener); ok {
		if err := o.Open(ctx); err != nil {
			return fmt.Errorf("taskflow: start: open the backend: %w", err)
		}
	}
	m.logCapabilities()
	if m.peers != nil {
		if err := m.peers.join(ctx); err != nil {
			return errors.Join(fmt.Errorf("taskflow: start: %w", err), m.closeStore())
		}
	}
	if err := m.recover(ctx); err != nil {
		return errors.Join(fmt.Errorf("taskflow: start: %w", err), m.undoJoin(ctx), m.closeStore())
	}
	return nil
}

// undoJoin leaves the instances after a start that failed: the rows that it has taken are free at once, not when the lease is over.
func (m *Manager) undoJoin(ctx context.Context) error {
	if m.peers == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), peersTimeout)
	defer cancel()
	return m.peers.leave(ctx)
}

func (m *Manager) closeStore() error {
	if m.store == nil {
		return nil
	}
	if err := m.cfg.backend.Close(); err != nil {
		return fmt.Errorf("taskflow: close the backend: %w", err)
	}
	return nil
}

// Stop ends the manager gracefully. From now on Add refuses, except what can be kept. Waiting tasks that can be kept
// ([Requeue], Submit) are saved for the next start; all others run on, and are started, until ctx ends: that is the drain
// time. Then the contexts of running tasks end with cause ErrStopped, those that do not return within [WithStopGrace] are
// given up, and what has not ended is recorded as interrupted. Before Stop returns the history is stored and the backend
// closed, which may take up to 10 s longer.
//
// It returns an error when the drain time was too short or something could not be stored. Calling it again waits for the
// first call and returns its error; called by a task, it waits for that task, until ctx ends. A manager that was never
// started ends its waiting tasks as interrupted.
func (m *Manager) Stop(ctx context.Context) error {
	m.BeginShutdown()
	l := &m.life
	l.mu.Lock()
	if l.done != nil {
		l.mu.Unlock()
		select {
		case <-l.done:
			return l.err
		case <-ctx.Done():
			return fmt.Errorf("taskflow: stop: %w", ctx.Err())
		}
	}
	l.done = make(chan struct{})
	if l.starting != nil {
		l.abort()
	}
	l.mu.Unlock()
	m.awaitStart(ctx)
	m.schedules.stop(ctx)

	started := l.active.Load()
	l.saves = started && m.store != nil
	if at, ok := ctx.Deadline(); ok {
		l.drainEnds = at.UnixNano()
	}
	l.stopping.Store(true) // before: who sees that it does not run any more sees why
	l.active.Store(false)
	m.registry.close()
	if m.history != nil {
		m.history.unthrottle() // what has to end need not wait for a slow backend any more
	}
	if !started {
		l.killAll()
	}
	m.sweep()
	if waiting, running := m.live(); started && waiting+running > 0 {
		m.log.Info("taskflow: stopping; tasks get the drain time", "running", running, "waiting", waiting)
	}
	drained := m.drain(ctx)
	l.err = errors.Join(drained, m.save(ctx, started))
	close(l.done)
	return l.err
}

// awaitStart waits for a Start that is under way, which has been told to end. One that does not heed that finds out by
// itself that Stop was called.
func (m *Manager) awaitStart(ctx context.Context) {
	if m.life.starting == nil {
		return
	}
	select {
	case <-m.life.starting:
	case <-ctx.Done():
	}
}

// sweep puts aside each job that waits and may not run any more: see verdict.
func (m *Manager) sweep() {
	m.registry.walk(taskID{}, func(j *job) bool {
		m.reconsider(j)
		return true
	})
}

// drain waits until no job is live, or ends what is when ctx ends.
func (m *Manager) drain(ctx context.Context) error {
	idle := m.registry.whenIdle()
	select {
	case <-idle:
		return nil
	default:
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	m.life.killAll()
	m.sweep()
	running := m.cancelRunning()
	if running == 0 {
		<-idle
		return fmt.Errorf("taskflow: stop: the drain time is over: %w", ctx.Err())
	}
	grace := time.NewTimer(m.cfg.grace)
	defer grace.Stop()
	select {
	case <-idle:
		return fmt.Errorf("taskflow: stop: %d tasks were still running when the drain time was over: %w", running, ctx.Err())
	case <-grace.C:
	}
	lost := m.abandon()
	return fmt.Errorf("taskflow: stop: %d tasks were still running when the drain time was over, %d of them did not return when their context ended: %w",
		running, lost, ctx.Err())
}

func (m *Manager) cancelRunning() (n int) {
	m.registry.walk(taskID{}, func(j *job) bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.status == StatusRunning {
			n++
			if j.cancelling == nil {
				j.cancelling = ErrStopped
			}
			m.log.Warn("taskflow: the drain time is over, a task is told to end", "task_id", j.id.String(), "task", j.name)
			if j.cancel != nil {
				j.cancel(ErrStopped)
			}
		}
		return true
	})
	return n
}

// abandon records running jobs as interrupted although their functions have not returned.
func (m *Manager) abandon() (n int) {
	reason := fmt.Errorf("%w: %w, and the function did not return within %v after its context ended", ErrInterrupted, ErrStopped, m.cfg.grace)
	m.registry.walk(taskID{}, func(j *job) bool {
		if m.giveUp(j, StatusInterrupted, reason) {
			n++
			m.log.Error("taskflow: a task ignores that its context has ended", "task_id", j.id.String(), "task", j.name)
		}
		return true
	})
	m.life.abandoned = n > 0
	return n
}

// save stores what is left and ends every goroutine of the manager.
func (m *Manager) save(ctx context.Context, started bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	for _, p := range m.pools {
		p.close()
	}
	if !m.life.abandoned && !m.registry.astray() {
		m.workers.Wait() // all are idle
	}
	m.registry.seal()
	select {
	case <-m.registry.whenIdle(): // a job that was taken right before is on the shelf now
	case <-ctx.Done():
	}
	var errs []error
	if started {
		if m.journal != nil {
			m.journal.close(ctx)
		}
		if m.history != nil {
			errs = append(errs, m.savePending(ctx), m.history.close(ctx))
		}
		m.life.services()
	}
	m.hub.close()
	m.services.Wait()
	errs = append(errs, m.endObservers(ctx))
	if started {
		m.series.stop(ctx, time.Now())
		if m.peers != nil {
			errs = append(errs, m.peers.leave(ctx))
		}
	}
	errs = append(errs, m.endCompanions(ctx))
	if started {
		errs = append(errs, m.closeStore())
	}
	return errors.Join(errs...)
}

// endObservers waits until the observers were told everything, at most until ctx ends: they are users' code.
func (m *Manager) endObservers(ctx context.Context) error {
	if len(m.cfg.observers) > 0 && !returned(ctx, &m.observers) {
		return errors.New("taskflow: stop: an observer did not return")
	}
	return nil
}

// savePending stores the jobs on the shelf, and pending records of unknown names that were taken from the backend. What
// cannot be stored until ctx ends is recorded as interrupted.
func (m *Manager) savePending(ctx context.Context) error {
	jobs := m.life.shelf.take()
	records := m.parked.all()
	for _, j := range jobs {
		r := j.snapshot(true)
		if m.peers == nil { // otherwise the backend leaves alone what another instance has taken meanwhile, and frees the rest
			r.Owner = ""
		}
		records = append(records, r)
	}
	_, err := m.store.backend.SavePending(ctx, records)
	for wait := retryFirst; err != nil && ctx.Err() == nil; wait = min(2*wait, retryLast) {
		pause(ctx, wait)
		_, err = m.store.backend.SavePending(ctx, records)
	}
	if err == nil {
		for _, j := range jobs {
			j.announce()
		}
		if len(records) > 0 {
			m.log.Info("taskflow: waiting tasks saved for the next start", "count", len(records))
		}
		return nil
	}
	err = fmt.Errorf("%d waiting tasks could not be saved: %w", len(records), err)
	for _, j := range jobs {
		m.unshelve(j, fmt.Errorf("%w: %w", ErrInterrupted, err))
	}
	return fmt.Errorf("taskflow: stop: %w", err)
}

// unshelve ends a job that could not be saved.
func (m *Manager) unshelve(j *job, err error) {
	m.registry.unshelve()
	j.mu.Lock()
	j.place = placeNone
	j.mu.Unlock()
	m.finish(j, StatusInterrupted, err)
}
