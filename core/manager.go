package taskflow

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultPool is the pool of tasks that name none.
const DefaultPool = "default"

// Manager owns the tasks of one process: their records, workers, timers and backend. Made by [New], started by Start,
// ended by Stop; an adapter's Run does both. Safe for concurrent use.
type Manager struct {
	cfg  config
	name atomic.Pointer[string] // the id of the instance, see Instance
	self Instance               // what others see of the process
	log  *slog.Logger

	tasks map[string]*definition // by name and alias; never written to after New
	infos []*definition          // in the order of WithTasks
	pools map[string]*pool       // never written to after New
	usual *pool                  // the default pool

	registry registry
	timers   timers
	hub      hub
	history  *history  // nil: no backend
	peers    *peers    // nil: no backend, or one that does not know of instances
	journal  *journal  // nil: no backend, or one without a journal
	store    *store    // nil: no backend
	parked   parkedSet // pending records of unknown names that the backend cannot keep by itself
	audit    auditRing
	series   *recorder
	keys     *keys
	watchers watchers

	schedules *schedules

	names    closureNames
	refusals refusals

	draining  chan struct{} // closed by BeginShutdown
	drainOnce sync.Once
	life      lifecycle
	workers   sync.WaitGroup // every goroutine that runs tasks
	services  sync.WaitGroup // every other goroutine of the manager, but for
	observers sync.WaitGroup // those that call users' observers, and

	companions companions // those of Alongside

	pending atomic.Int64 // tasks admitted that have not started: bounded by the queue size
}

// config is what the options of New set.
type config struct {
	backend      Backend
	logger       *slog.Logger
	definitions  []Definition
	schedules    []*schedule
	concurrency  int
	pools        map[string]int
	queueSize    int
	window       int
	requeue      bool
	grace        time.Duration
	observers    []Observer
	historyBatch int
	historyWait  time.Duration
	backlog      int
	lease        time.Duration
	journalBatch int
	journalWait  time.Duration
}

// ManagerOption is an option of [New].
type ManagerOption func(*config) error

// New makes a manager. It does no I/O: Start does. Errors: a duplicate task name or alias, an option out of range
// (ErrInvalidOption).
func New(opts ...ManagerOption) (*Manager, error) {
	cfg := config{
		logger: slog.Default(), pools: map[string]int{}, queueSize: 100_000, window: 10_000, grace: 2 * time.Second,
		historyBatch: 500, historyWait: 20 * time.Millisecond, backlog: 10_000,
		lease: 15 * time.Second, journalBatch: 1000,
	}
	for _, o := range opts {
		if o == nil {
			return nil, fmt.Errorf("taskflow: New: %w", invalid("an option is nil"))
		}
		if err := o(&cfg); err != nil {
			return nil, fmt.Errorf("taskflow: New: %w", err)
		}
	}
	m := &Manager{
		cfg: cfg, log: cfg.logger, self: describe(),
		tasks: map[string]*definition{}, pools: map[string]*pool{}, draining: make(chan struct{}),
	}
	m.rename()
	if err := m.register(cfg.definitions, cfg.schedules); err != nil {
		return nil, fmt.Errorf("taskflow: New: %w", err)
	}
	m.usual = newPool(m, DefaultPool, cfg.concurrency)
	m.pools[DefaultPool] = m.usual
	for name, n := range cfg.pools {
		m.pools[name] = newPool(m, name, n)
	}
	for _, d := range m.infos {
		if m.pools[d.policy.pool] == nil {
			return nil, fmt.Errorf("taskflow: New: task %q wants pool %q, which no WithPool defines", d.name, d.policy.pool)
		}
	}
	m.companions.init()
	m.life.killing, m.life.kill = context.WithCancel(context.Background())
	m.keys = newKeys(m)
	m.series = newRecorder(m)
	m.registry.init(cfg.window)
	m.timers.init(m)
	if cfg.backend != nil {
		m.store = newStore(cfg.backend)
		m.history = newHistory(m)
		if j, ok := cfg.backend.(Journal); ok {
			m.journal = newJournal(m, j)
		}
		if s, ok := cfg.backend.(InstanceStore); ok {
			m.peers = newPeers(m, s)
		}
	}
	if err := m.plan(cfg.schedules); err != nil {
		return nil, fmt.Errorf("taskflow: New: %w", err)
	}
	return m, nil
}

func (m *Manager) register(defs []Definition, scheduled []*schedule) error {
	for i, def := range defs {
		if def == nil {
			return invalid("WithTasks: task %d is nil", i+1)
		}
		if err := m.registerOne(def.definition()); err != nil {
			return err
		}
	}
	for _, s := range scheduled {
		if d := s.call.def; m.tasks[d.name] != d {
			if err := m.registerOne(d); err != nil {
				return fmt.Errorf("WithSchedule(%q): %w", s.name, err)
			}
		}
	}
	return nil
}

func (m *Manager) registerOne(d *definition) error {
	for _, name := range append([]string{d.name}, d.aliases...) {
		if known := m.tasks[name]; known != nil {
			if known == d {
				return fmt.Errorf("the task %q is given twice", name)
			}
			return fmt.Errorf("two tasks answer to the name %q: rename one of them (%s and %s)", name, known.name, d.name)
		}
		m.tasks[name] = d
	}
	m.infos = append(m.infos, d)
	return nil
}

// WithTasks registers tasks, so that stored calls of them can be found again: after a restart, and to be retried from the
// dashboard. Calls of other tasks run, but cannot be requeued, submitted or retried. Two tasks of one name are an error of New.
func WithTasks(tasks ...Definition) ManagerOption {
	return func(c *config) error { c.definitions = append(c.definitions, tasks...); return nil }
}

// WithBackend keeps history, and pending tasks over a restart, in b. The manager opens it at Start and closes it at Stop.
// Without a backend everything lives in memory: the live tasks and a window of finished ones.
func WithBackend(b Backend) ManagerOption {
	return func(c *config) error {
		if b == nil {
			return invalid("WithBackend: the backend is nil")
		}
		c.backend = b
		return nil
	}
}

// WithConcurrency lets at most n (1 or more) tasks of the default pool run at once. The default is 32 for each processor that Go
// uses (GOMAXPROCS), which suits tasks that mostly wait for a network; see [WithPool] for those that compute.
func WithConcurrency(n int) ManagerOption {
	return func(c *config) error {
		if n < 1 {
			return invalid("WithConcurrency: must be at least 1, not %d", n)
		}
		c.concurrency = n
		return nil
	}
}

// WithPool adds a named pool of at most n (1 or more) tasks at once, beside the default pool. See [Pool].
func WithPool(name string, n int) ManagerOption {
	return func(c *config) error {
		switch {
		case name == "" || len(name) > MaxNameBytes:
			return invalid("WithPool: the name must have 1 to %d bytes, not %d", MaxNameBytes, len(name))
		case n < 1:
			return invalid("WithPool(%q): must be at least 1, not %d", name, n)
		case name == DefaultPool:
			return invalid("WithPool(%q): the default pool's size is set by WithConcurrency", name)
		}
		if _, twice := c.pools[name]; twice {
			return invalid("WithPool(%q): given twice", name)
		}
		c.pools[name] = n
		return nil
	}
}

// WithQueueSize lets at most n (1 or more) tasks wait: for their response, their turn or their delay. Add refuses more with
// ErrQueueFull. Default 100,000. Retries and tasks recovered at Start are never refused.
func WithQueueSize(n int) ManagerOption {
	return func(c *config) error {
		if n < 1 {
			return invalid("WithQueueSize: must be at least 1, not %d", n)
		}
		c.queueSize = n
		return nil
	}
}

// WithWindow keeps the n (0 or more) latest finished tasks in memory, for listings and the dashboard. Default 10,000. With
// a backend, older ones are read from there.
func WithWindow(n int) ManagerOption {
	return func(c *config) error {
		if n < 0 {
			return invalid("WithWindow: must not be negative, not %d", n)
		}
		c.window = n
		return nil
	}
}

// WithLease is how long a backend shared by several instances takes this one for alive after its last sign of life, which it gives three
// times as often; from 100 ms, default 15 s. When the process dies, another one takes over its durable tasks at its first heartbeat after that
// time (on the machine of an SQLite file, where a lock tells, at its next one). A process that was paused, or cut off from the backend, for
// longer loses them: see ErrLeaseLost.
func WithLease(d time.Duration) ManagerOption {
	return func(c *config) error {
		if d < 100*time.Millisecond {
			return invalid("WithLease: must be at least 100ms, not %v", d)
		}
		c.lease = d
		return nil
	}
}

// WithJournal bounds the commits of durable tasks: one commit writes at most batch changes (1 or more; default 1000) and waits up to
// wait (from 0, the default) for others to share it. With 0 a commit begins at once when none is under way; those that come meanwhile
// share the next one. A wait makes a lone Submit that much slower, and spares the disk when many come one after the other.
func WithJournal(batch int, wait time.Duration) ManagerOption {
	return func(c *config) error {
		switch {
		case batch < 1:
			return invalid("WithJournal: the batch must be at least 1, not %d", batch)
		case wait < 0:
			return invalid("WithJournal: the wait must not be negative, not %v", wait)
		}
		c.journalBatch, c.journalWait = batch, wait
		return nil
	}
}

// WithRequeue makes every registered task behave as if it had [Requeue]. It needs a backend.
func WithRequeue() ManagerOption {
	return func(c *config) error { c.requeue = true; return nil }
}

// WithLogger sends the manager's own messages (tasks that failed, backend trouble) to l. Default slog.Default() at New.
func WithLogger(l *slog.Logger) ManagerOption {
	return func(c *config) error {
		if l == nil {
			return invalid("WithLogger: the logger is nil; slog.DiscardHandler silences")
		}
		c.logger = l
		return nil
	}
}

// WithStopGrace is how long Stop waits, after the drain time, for functions to return once their contexts have ended.
// From 0; default 2 s. Tasks that ignore their context longer are recorded as interrupted and left behind.
func WithStopGrace(d time.Duration) ManagerOption {
	return func(c *config) error {
		if d < 0 {
			return invalid("WithStopGrace: must not be negative, not %v", d)
		}
		c.grace = d
		return nil
	}
}

// WithObserver tells o about every event. See [Observer].
func WithObserver(o Observer) ManagerOption {
	return func(c *config) error {
		if o == nil {
			return invalid("WithObserver: the observer is nil")
		}
		c.observers = append(c.observers, o)
		return nil
	}
}

// Logger is where the manager writes its own messages; see [WithLogger].
func (m *Manager) Logger() *slog.Logger { return m.log }

// Instance is the id of this manager, new with each New, and after it has lost its lease. Records that it holds carry it as their
// Owner.
func (m *Manager) Instance() string { return *m.name.Load() }

// rename gives the manager a new id.
func (m *Manager) rename() { m.name.Store(new(newInstanceID(time.Now()))) }

// Tasks describes the registered tasks, in the order of WithTasks.
func (m *Manager) Tasks() []TaskInfo {
	infos := make([]TaskInfo, len(m.infos))
	for i, d := range m.infos {
		p := &d.policy
		infos[i] = TaskInfo{
			Name: d.name, ArgType: d.argType, Aliases: slices.Clone(d.aliases), MaxRetries: p.retries, RetryRule: p.decide != nil,
			Timeout: p.timeout, Deadline: p.deadline, Priority: p.priority, Pool: p.pool,
			Requeue: p.requeue || m.cfg.requeue, Idempotent: d.idempotent, Tags: maps.Clone(p.tags),
		}
	}
	return infos
}

// PoolInfo is the state of a pool at one moment.
type PoolInfo struct {
	Name    string `json:"name"`
	Limit   int    `json:"limit"`   // tasks that may run at once
	Running int    `json:"running"` // workers at work: running a task, or held up because the backend cannot keep up
	Waiting int    `json:"waiting"` // ready to run; delayed tasks and those whose response is not out yet do not count
}

// Draining is closed when the manager begins to stop: time to end long-lived streams.
func (m *Manager) Draining() <-chan struct{} { return m.draining }

// BeginShutdown is the first phase of a graceful stop: long-lived streams end ([Manager.Draining]), and what runs [Manager.Alongside], while
// requests in flight may still add tasks. Calling it again does nothing. Stop calls it by itself.
func (m *Manager) BeginShutdown() {
	m.drainOnce.Do(func() {
		close(m.draining)
		m.companions.stop()
	})
}

func newInstanceID(now time.Time) string {
	id := NewID(now)
	return id[:8] + id[24:] // short: it is shown and stored with every pending task
}

func defaultConcurrency() int { return 32 * runtime.GOMAXPROCS(0) }

var _ context.Context = (*taskContext)(nil)
