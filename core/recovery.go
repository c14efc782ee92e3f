package taskflow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// parkedSet holds pending records of names that are not registered here, for a backend that can only give all of its
// pending records at once: they are saved again at Stop.
type parkedSet struct {
	mu      sync.Mutex
	records []Record
}

func (p *parkedSet) add(r Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.records = append(p.records, r)
}

func (p *parkedSet) all() []Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.records)
}

// recover takes over the tasks that wait in the backend.
func (m *Manager) recover(ctx context.Context) error {
	if c, ok := m.cfg.backend.(Claimer); ok {
		if err := m.peers.during(ctx, func(ctx context.Context) error { return m.claim(ctx, c) }); err != nil {
			return err
		}
		return m.reportParked(ctx)
	}
	rows, err := m.cfg.backend.LoadPending(ctx)
	if err != nil {
		return fmt.Errorf("load the waiting tasks: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	slices.SortFunc(rows, func(a, b Record) int { return strings.Compare(a.ID, b.ID) })
	unknown := map[string]int{}
	known := make([]Record, 0, len(rows))
	for _, r := range rows {
		if m.tasks[r.Name] == nil || !ValidID(r.ID) || r.Status.Final() {
			unknown[r.Name]++
			m.parked.add(r)
		} else {
			known = append(known, r)
		}
	}
	m.warnParked(unknown)
	m.revive(known)
	if err := m.cfg.backend.ClearPending(ctx); err != nil {
		return fmt.Errorf("clear the waiting tasks: %w", err)
	}
	if parked := m.parked.all(); len(parked) > 0 {
		if _, err := m.cfg.backend.SavePending(ctx, parked); err != nil {
			return fmt.Errorf("put back the waiting tasks of unknown names: %w", err)
		}
	}
	return nil
}

// reportParked says at start which names wait for an instance that registers them, as far as the newest waiting tasks tell.
func (m *Manager) reportParked(ctx context.Context) error {
	if m.store.pending == nil {
		return nil
	}
	p, err := m.store.pending.QueryPending(ctx, Query{Filter: Filter{Statuses: []Status{StatusPending}}, Limit: MaxLimit})
	if err != nil {
		return fmt.Errorf("list the waiting tasks: %w", err)
	}
	unknown := map[string]int{}
	for _, r := range p.Records {
		if r.Owner == "" && m.tasks[r.Name] == nil {
			unknown[r.Name]++
		}
	}
	m.warnParked(unknown)
	return nil
}

func (m *Manager) warnParked(unknown map[string]int) {
	for name, n := range unknown {
		m.log.Warn("taskflow: waiting tasks of a name that is not registered stay stored; register it, or an alias of it, by WithTasks", "task", name, "count", n)
	}
}

// claimChunk is how many waiting tasks are taken over at a time.
const claimChunk = 1000

// claim takes over waiting tasks that nobody holds, of the names that are registered here.
func (m *Manager) claim(ctx context.Context, c Claimer) error {
	names := slices.Sorted(maps.Keys(m.tasks))
	if len(names) == 0 {
		return nil
	}
	for m.registry.busy() < m.cfg.queueSize && !m.life.stopping.Load() { // others may have room, and what waits in the backend waits well
		own := m.Instance()
		rows, err := claimSome(ctx, c, own, names)
		if err != nil {
			return fmt.Errorf("claim the waiting tasks: %w", err)
		}
		if !m.takeIn(own, rows) || len(rows) < claimChunk {
			break
		}
	}
	return nil
}

func claimSome(ctx context.Context, c Claimer, owner string, names []string) ([]Record, error) {
	ctx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	return c.Claim(ctx, owner, names, claimChunk)
}

// takeIn makes jobs of rows that the backend has given to this instance under the name own. False: it has lost that name meanwhile, and the rows
// with it.
func (m *Manager) takeIn(own string, rows []Record) bool {
	if m.peers != nil {
		m.peers.naming.Lock()
		defer m.peers.naming.Unlock()
		if m.Instance() != own {
			return false
		}
	}
	m.revive(rows)
	return true
}

// interruptedSaid is how many tasks that do not run again the log names each time.
const interruptedSaid = 20

// revive makes jobs of stored records and queues them; one that was running when its process died is interrupted, unless
// its task is idempotent.
func (m *Manager) revive(rows []Record) {
	resumed, interrupted := 0, 0
	for i := range rows {
		r := &rows[i]
		d := m.tasks[r.Name]
		j := m.jobOf(r, d)
		again := true
		if r.Status == StatusRunning {
			j.crashes++
			j.attemptCrashed()
			if j.log == nil {
				j.log = &taskLog{}
			}
			j.log.add(logStamp(time.Now()) + " WARN taskflow: the process ended during attempt " + strconv.Itoa(r.Attempts))
			again = d.idempotent && j.crashes < maxCrashes
		}
		if again {
			j.status = StatusPending
		}
		if !m.adopt(j) { // from here on, others see it
			continue
		}
		if !again {
			if interrupted++; interrupted <= interruptedSaid {
				m.log.Warn("taskflow: the process that ran a task has died", "task_id", r.ID, "task", r.Name, "attempts", r.Attempts, "becomes", d.afterCrash())
			}
			m.giveUp(j, d.afterCrash(), d.whyNotAgain(r.Crashes+1))
			continue
		}
		resumed++
		m.announceAdded(j)
		m.dispatch(j)
	}
	if resumed+interrupted > 0 {
		m.log.Info("taskflow: tasks taken over that nobody held any more", "count", resumed, "interrupted", interrupted)
	}
}

// adopt takes in a job of a row that the backend has given to this instance. False: the job is here already, and holds the row. One that
// is left from a lease that was lost, live or finished but not stored, has lost its row: it gives way.
func (m *Manager) adopt(j *job) bool {
	if m.registry.adopt(j) {
		return true
	}
	old := m.registry.get(j.id)
	if old != nil {
		old.mu.Lock()
		owner := old.owner
		old.mu.Unlock()
		if owner == j.owner {
			return false
		}
		if !m.lose(old, owner) {
			m.registry.disown([]*job{old})
		}
	}
	return m.registry.adopt(j)
}

// afterCrash is the status of a task that was running when its process died, and does not run again.
func (d *definition) afterCrash() Status {
	if d.idempotent {
		return StatusFailed
	}
	return StatusInterrupted
}

func (d *definition) whyNotAgain(crashes int) error {
	if d.idempotent {
		return fmt.Errorf("%d processes have died while it ran, so it is taken for the reason", crashes)
	}
	return fmt.Errorf("%w: the process ended while it ran", ErrInterrupted)
}

// jobOf is the inverse of job.record for an unfinished task.
func (m *Manager) jobOf(r *Record, d *definition) *job {
	id, _ := parseID(r.ID) // recover has checked it
	retryOf, _ := parseID(r.RetryOf)
	p := d.policy // a copy: the call may have had options of its own
	p.priority, p.retries, p.requeue, p.tags = r.Priority, r.MaxRetries, r.Requeue, r.Tags
	if m.pools[r.Pool] != nil {
		p.pool = r.Pool
	}
	j := &job{
		m: m, meter: m.series.meters.of(d.name), id: id, created: unixNano(r.CreatedAt), name: d.name, work: Work{call: Call{def: d, args: r.Args}}, policy: &p,
		pool: m.pools[p.pool], ctx: context.Background(), source: r.Source, retryOf: retryOf, durable: (r.Durable || r.Owner != "") && m.journal != nil, owner: r.Owner, key: r.Key, crashes: r.Crashes,
		status: r.Status, place: placeAdder, attempts: r.Attempts, startTime: unixNano(r.StartTime), runAt: unixNano(r.RunAt), errText: r.Error,
	}
	if p.deadline > 0 {
		j.deadline = later(j.created, p.deadline)
	}
	if !r.RecordExtra.IsZero() {
		j.more = &jobExtra{RecordExtra: r.RecordExtra.clone()}
	}
	if len(r.Logs) > 0 {
		j.log = &taskLog{}
		for _, line := range r.Logs {
			j.log.add(line)
		}
	}
	return j
}
