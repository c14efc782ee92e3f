package bench

import (
	"runtime"
	"testing"

	"github.com/alitto/pond/v2"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// million is how many tasks the benchmarks of memory and of long histories use.
const million = 1_000_000

// BenchmarkHeapAfterMillion is the live heap once a million tasks have finished and nobody holds a handle. taskflow keeps the
// latest 10,000 by default, for its dashboard; pond keeps none.
func BenchmarkHeapAfterMillion(b *testing.B) {
	b.Run("taskflow", func(b *testing.B) {
		for b.Loop() {
			m := started(b)
			reportHeap(b, func(done func()) { m.Add(taskflow.WorkOf(done)) })
			runtime.KeepAlive(m)
		}
	})
	b.Run("taskflow-window-0", func(b *testing.B) {
		for b.Loop() {
			m := started(b, taskflow.WithWindow(0))
			reportHeap(b, func(done func()) { m.Add(taskflow.WorkOf(done)) })
			runtime.KeepAlive(m)
		}
	})
	b.Run("pond-Submit-64", func(b *testing.B) {
		for b.Loop() {
			p := pond.NewPool(64)
			reportHeap(b, func(done func()) { p.Submit(done) })
			p.StopAndWait()
		}
	})
}

func reportHeap(b *testing.B, add func(done func())) {
	b.Helper()
	before := liveHeap()
	addAll(million, add)
	b.ReportMetric(float64(liveHeap()-before)/1e6, "live-MB")
}

func liveHeap() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC() // the first one finds what only the second can free: sync.Pool, finalizers
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
