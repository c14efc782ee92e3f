package taskflow

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// meter counts what happens to the tasks of one function, from the start of the manager on: it only grows, and whoever wants to
// know about a minute takes the difference of two readings. Counting takes a few atomic additions and no lock.
type meter struct {
	added, retried atomic.Int64
	ended          [6]atomic.Int64 // by status, in the order of Statuses
	wait, run      buckets
	ranAt          atomic.Int64 // Unix nanoseconds; 0: never
	failure        atomic.Pointer[lastFailure]

	base [len(resolutions)]reading // at the beginning of the current stretch of each resolution; guarded by recorder.mu
}

// meterBuckets is enough for 12 days, see Bucket; what is longer counts there.
const meterBuckets = 8 * 38

// buckets is a Histogram that is counted into. A counter that overflows is no harm: differences stay right.
type buckets [meterBuckets]atomic.Uint32

func (b *buckets) observe(ns int64) {
	b[min(Bucket(time.Duration(ns)), meterBuckets-1)].Add(1)
}

type lastFailure struct {
	at   int64 // Unix nanoseconds
	text string
}

// started counts the start of an attempt that has been ready since a time; 0: since now.
func (c *meter) started(now, ready int64) {
	if ready == 0 || ready > now {
		ready = now
	}
	c.wait.observe(now - ready)
	c.ranAt.Store(now)
}

// finished counts a task with a final status.
func (c *meter) finished(status Status, now int64, text string) {
	c.ended[status.index()].Add(1)
	if status == StatusFailed {
		c.failure.Store(&lastFailure{now, errorLine(text)})
	}
}

// reading is what a meter shows at one moment.
type reading struct {
	added, retried int64
	ended          [6]int64
	wait, run      [meterBuckets]uint32
}

func (c *meter) read(to *reading) {
	to.added, to.retried = c.added.Load(), c.retried.Load()
	for i := range c.ended {
		to.ended[i] = c.ended[i].Load()
	}
	for i := range meterBuckets {
		to.wait[i], to.run[i] = c.wait[i].Load(), c.run[i].Load()
	}
}

const (
	// maxMeters bounds the functions that are counted one by one: registered tasks always are, and beside them so many others, those
	// that come first. Names can be made without end, see Name.
	maxMeters = 1000
	// OtherFunctions is the name under which functions are counted that are too many to be counted one by one.
	OtherFunctions = "(other)"
)

// meters are those of all functions. Looking one up takes no lock.
type meters struct {
	byName atomic.Pointer[map[string]*meter] // never changed, only replaced
	mu     sync.Mutex                        // held by who replaces it
	room   int                               // for names that are not registered; guarded by mu
	others meter
}

// init knows registered tasks from the beginning.
func (s *meters) init(names []string) {
	all := make(map[string]*meter, len(names))
	for _, name := range names {
		all[name] = &meter{}
	}
	s.room = maxMeters
	s.byName.Store(&all)
}

func (s *meters) of(name string) *meter {
	if c := (*s.byName.Load())[name]; c != nil {
		return c
	}
	return s.grow(name)
}

func (s *meters) grow(name string) *meter {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.byName.Load()
	if c := old[name]; c != nil {
		return c
	}
	if s.room == 0 || name == OtherFunctions {
		return &s.others
	}
	s.room--
	grown := make(map[string]*meter, len(old)+1)
	maps.Copy(grown, old)
	c := &meter{}
	grown[name] = c
	s.byName.Store(&grown)
	return c
}

// each calls f with every meter.
func (s *meters) each(f func(name string, c *meter)) {
	for name, c := range *s.byName.Load() {
		f(name, c)
	}
	f(OtherFunctions, &s.others)
}
