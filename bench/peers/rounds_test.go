package peers

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// producers is how many goroutines add tasks at the same time, each the next one when it has the answer to the one before: what a
// web server does that takes eight requests at a time.
const producers = 8

// side is one of those that are compared.
type side struct {
	name string
	// tasks is how many a round has. The sides differ, so that each one's round takes long enough to be measured, and none all day.
	tasks int
	// round adds n tasks, waits until all have run and the engine has taken note of it, and returns how long that took. Between its
	// rounds a side must be at rest: one that polls would take time from the others.
	round func(b *testing.B, n int) time.Duration
}

// compare lets the sides take turns: each operation of the benchmark is a round of each, forwards and then backwards, so that
// whatever drifts on the machine meets all alike. It reports the median rate of each side; the processor time that this process (not a
// server) spent on a task of it, which other work on the machine changes less; and, for each but the first, the median of the
// rounds' ratios of rates: above 1, the first was faster.
func compare(b *testing.B, sides ...side) {
	b.Helper()
	for _, s := range sides { // warms up files, connections and caches
		s.round(b, s.tasks/4)
	}
	order := make([]int, len(sides))
	for i := range order {
		order[i] = i
	}
	rates := make([][]float64, len(sides))
	spent := make([][]float64, len(sides)) // microseconds of a processor, a task
	ratios := make([][]float64, len(sides))
	for b.Loop() {
		for _, i := range order {
			tasks, cpu := float64(sides[i].tasks), cpuTime(b)
			took := sides[i].round(b, sides[i].tasks)
			rates[i] = append(rates[i], tasks/took.Seconds())
			spent[i] = append(spent[i], float64((cpuTime(b)-cpu).Microseconds())/tasks)
		}
		slices.Reverse(order)
		round := len(rates[0]) - 1
		for i := range sides {
			ratios[i] = append(ratios[i], rates[0][round]/rates[i][round])
		}
	}
	b.ReportMetric(0, "ns/op") // says nothing: it is the time of a round of all
	for i, s := range sides {
		b.ReportMetric(median(rates[i]), s.name+"-tasks/s")
		b.ReportMetric(median(spent[i]), s.name+"-cpu-µs")
		if i > 0 {
			b.ReportMetric(median(ratios[i]), "times-"+s.name)
		}
	}
}

func median[T int64 | float64 | time.Duration](values []T) T { return quantile(values, 0.5) }

// quantile returns the value that the share q of the values does not exceed.
func quantile[T int64 | float64 | time.Duration](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// produce calls add n times, from a number of goroutines at once, and returns when all calls have.
func produce(b *testing.B, goroutines, n int, add func() error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	var adding sync.WaitGroup
	for range goroutines {
		adding.Go(func() {
			for left.Add(-1) >= 0 {
				if err := add(); err != nil {
					b.Errorf("add a task: %v", err)
					return
				}
			}
		})
	}
	adding.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// arrivals counts what arrives, and tells when it is what was expected.
type arrivals struct {
	missing atomic.Int64
	all     chan struct{}
}

// expect begins to count anew. Nothing may arrive before it returns.
func (a *arrivals) expect(n int) {
	a.all = make(chan struct{})
	a.missing.Store(int64(n))
}

func (a *arrivals) add(n int) {
	if left := a.missing.Add(-int64(n)); left <= 0 && left+int64(n) > 0 {
		close(a.all)
	}
}

// roundTimeout ends a round in which something was lost.
const roundTimeout = 2 * time.Minute

func (a *arrivals) wait(b *testing.B) {
	b.Helper()
	limit := time.NewTimer(roundTimeout)
	defer limit.Stop()
	select {
	case <-a.all:
	case <-limit.C:
		b.Fatalf("%d tasks have not arrived after %v", a.missing.Load(), roundTimeout)
	}
}

// await asks until the answer is yes, each millisecond.
func await(b *testing.B, ask func() (bool, error)) {
	b.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(roundTimeout); ; <-poll.C {
		yes, err := ask()
		switch {
		case err != nil:
			b.Fatal(err)
		case yes:
			return
		case time.Now().After(deadline):
			b.Fatalf("not all is stored after %v", roundTimeout)
		}
	}
}
