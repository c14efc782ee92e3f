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

// lifecycle is where the manager stands: new, started, stopping, stopped.
type lifecycle struct {
	mu       sync.Mutex
	started  bool
	services context.CancelFunc // ends timers and the like
	done     chan struct{}      // Stop was called; closed when it is over
	err      error              // what Stop returned

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

func (l *lifecycle) killAll() {
	l.killed.Store(true)
	l.kill()
}

// shelf collects the jobs that Stop saves.
type shelf struct {
	mu   sync.Mutex
	jobs []*job
}

func (s *shelf) put(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = append(s.jobs, j)
}

// Start opens the backend, recovers the tasks that wait in it, and starts the workers. ctx bounds only Start itself. Errors: the
// backend cannot be opened or read; started twice; ErrStopped. After an error nothing runs and the manager cannot be used.
func (m *Manager) Start(ctx context.Context) error {
	l := &m.life
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.done != nil:
		return fmt.Errorf("taskflow: start: %w: make a new manager", ErrStopped)
	case l.started:
		return errors.New("taskflow: start: already started")
	}
	l.started = true
	if m.store != nil {
		if err := m.openStore(ctx); err != nil {
			return err
		}
	} else if m.cfg.requeue {
		m.log.Warn("taskflow: WithRequeue without a backend: pending tasks are lost when the process stops")
	}
	services, stop := context.WithCancel(context.Background())
	l.services = stop
	for _, o := range m.cfg.observers {
		s := m.Subscribe()
		m.services.Go(func() { m.observe(o, s) })
	}
	m.services.Go(func() { m.timers.run(services) })
	if m.history != nil {
		m.services.Go(m.history.run)
	}
	if m.journal != nil {
		m.services.Go(m.journal.run)
	}
	l.active.Store(true)
	for _, p := range m.pools {
		p.start()
	}
	return nil
}

func (m *Manager) openStore(ctx context.Context) error {
	if o, ok := m.cfg.backend.(Opener); ok {
		if err := o.Open(ctx); err != nil {
			return fmt.Errorf("taskflow: start: open the backend: %w", err)
		}
	}
	m.logCapabilities()
	if err := m.recover(ctx); err != nil {
		return errors.Join(fmt.Errorf("taskflow: start: %w", err), m.cfg.backend.Close())
	}
	return nil
}

// Stop ends the manager gracefully. From now on Add refuses, except what can be kept. Waiting tasks that can be kept ([Requeue], Submit) are saved for the
// next start; all others run on, and are started, until ctx ends: that is the drain time. Then the contexts of running tasks
// end with cause ErrStopped, those that do not return within [WithStopGrace] are given up, and what has not ended is
// recorded as interrupted. Before Stop returns the history is stored and the backend closed, which may take up to 10 s longer.
//
// It returns an error when the drain time was too short or something could not be stored. Calling it again waits for
// the first call and returns its error. A manager that was never started ends its waiting tasks as interrupted.
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
	started := l.active.Load()
	l.saves = started && m.store != nil
	if at, ok := ctx.Deadline(); ok {
		l.drainEnds = at.UnixNano()
	}
	l.mu.Unlock()

	l.active.Store(false)
	l.stopping.Store(true)
	m.registry.close()
	if !started {
		l.killAll()
	}
	m.sweep()
	drained := m.drain(ctx)
	l.err = errors.Join(drained, m.save(ctx, started))
	close(l.done)
	return l.err
}

// sweep puts aside each job that waits and may not run any more: see verdict.
func (m *Manager) sweep() {
	m.registry.walk(taskID{}, func(j *job) bool {
		j.mu.Lock()
		if j.status == StatusPending && j.place != placeShelf {
			if v := m.verdict(j); v != mayRun {
				m.putAside(j, v) // unlocks
				return true
			}
		}
		j.mu.Unlock()
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
	m.registry.walk(taskID{}, func(j *job) bool {
		j.mu.Lock()
		running := j.status == StatusRunning
		j.mu.Unlock()
		if running && m.finish(j, StatusInterrupted, fmt.Errorf("%w: %w, and the function did not return within %v after its context ended",
			ErrInterrupted, ErrStopped, m.cfg.grace)) {
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
	for _, p := range m.pools {
		p.close()
	}
	if m.history != nil {
		m.history.unthrottle()
	}
	if !m.life.abandoned {
		m.workers.Wait() // all are idle
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
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
			errs = append(errs, m.history.close(ctx), m.savePending(ctx))
		}
		m.life.services()
	}
	m.hub.close()
	m.services.Wait()
	if started && m.store != nil {
		if err := m.cfg.backend.Close(); err != nil {
			errs = append(errs, fmt.Errorf("taskflow: stop: close the backend: %w", err))
		}
	}
	return errors.Join(errs...)
}

// savePending stores the jobs on the shelf, and pending records of unknown names that were taken from the backend.
func (m *Manager) savePending(ctx context.Context) error {
	m.life.shelf.mu.Lock()
	jobs := m.life.shelf.jobs
	m.life.shelf.mu.Unlock()
	records := m.parked.all()
	for _, j := range jobs {
		r := j.snapshot(true)
		r.Owner = ""
		records = append(records, r)
	}
	_, err := m.cfg.backend.SavePending(ctx, records)
	for _, j := range jobs {
		j.announce()
	}
	if err != nil {
		return fmt.Errorf("taskflow: stop: %d waiting tasks could not be saved: %w", len(records), err)
	}
	if len(records) > 0 {
		m.log.Info("taskflow: waiting tasks saved for the next start", "count", len(records))
	}
	return nil
}
