package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/alitto/pond/v2"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// BenchmarkAddToFinished is a trivial closure from Add to its end, in memory, added by eight producers.
//
// pond's Submit returns a handle to wait on, as Add does; its Go does not, and is the cheaper of its two ways. go+WaitGroup is
// what a program does without a library: no bound, no handle, no panic caught, no record.
func BenchmarkAddToFinished(b *testing.B) {
	b.Run("taskflow", func(b *testing.B) {
		m := started(b)
		measure(b, func(done func()) { m.Add(taskflow.WorkOf(done)) })
	})
	for _, workers := range []int{8, 64, 256} {
		b.Run(fmt.Sprintf("pond-Submit-%d", workers), func(b *testing.B) {
			p := newPond(b, workers)
			measure(b, func(done func()) { p.Submit(done) })
		})
	}
	b.Run("pond-Go-64", func(b *testing.B) {
		p := newPond(b, 64)
		measure(b, func(done func()) {
			if err := p.Go(done); err != nil {
				b.Error(err)
			}
		})
	})
	b.Run("go+WaitGroup", func(b *testing.B) {
		measure(b, func(done func()) { go done() })
	})
}

func newPond(b *testing.B, workers int) pond.Pool {
	b.Helper()
	p := pond.NewPool(workers)
	b.Cleanup(p.StopAndWait)
	return p
}

func measure(b *testing.B, add func(done func())) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	addAll(b.N, add)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}

// BenchmarkVersusPond is the same in rounds of 50,000 tasks that taskflow and pond take in turn, so that whatever drifts on the
// machine meets both alike. It reports the median of the rounds' ratios: above 1, taskflow took less time.
func BenchmarkVersusPond(b *testing.B) {
	m := started(b)
	ours := func(done func()) { m.Add(taskflow.WorkOf(done)) }
	for _, workers := range []int{8, 64, 256} {
		b.Run(fmt.Sprintf("Submit-%d", workers), func(b *testing.B) {
			p := newPond(b, workers)
			theirs := func(done func()) { p.Submit(done) }
			var ratios []float64
			for b.Loop() {
				var x, y time.Duration
				if len(ratios)%2 == 0 {
					x, y = round(ours), round(theirs)
				} else {
					y, x = round(theirs), round(ours)
				}
				ratios = append(ratios, y.Seconds()/x.Seconds())
			}
			b.ReportMetric(quantile(ratios, 0.5), "median-ratio")
		})
	}
}

func round(add func(done func())) time.Duration {
	start := time.Now()
	addAll(50_000, add)
	return time.Since(start)
}
