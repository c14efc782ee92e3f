package taskflow_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Programs that followed one another never had their pools at the same time; those that overlap did.
func TestSeriesOfProgramsThatFollowOneAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		run := func(m *taskflow.Manager, n int) {
			for range n {
				add(m, func() { time.Sleep(time.Second) }, taskflow.Name("job"))
			}
			time.Sleep(7 * time.Second)
		}
		for range 5 { // five starts within a minute, the last ones at once after the stop before
			m, _ := c.instance(taskflow.WithConcurrency(64))
			run(m, 3)
			if err := m.Stop(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		m, _ := c.instance(taskflow.WithConcurrency(64))
		run(m, 2)
		time.Sleep(2 * time.Hour)
		pool := func(window time.Duration) taskflow.PoolInfo {
			most := taskflow.PoolInfo{Name: taskflow.DefaultPool}
			for _, step := range ago(t, m, window).Steps {
				p := step.Pools[taskflow.DefaultPool]
				most.Limit, most.Running = max(most.Limit, p.Limit), max(most.Running, p.Running)
			}
			return most
		}
		for _, window := range []time.Duration{3 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour} {
			if p := pool(window); p.Limit != 64 || p.Running != 3 {
				t.Errorf("within %v the pool had %d workers, %d at work; want 64 and 3", window, p.Limit, p.Running)
			}
		}
		other, _ := c.instance(taskflow.WithConcurrency(10))
		run(other, 1)
		run(m, 2)
		time.Sleep(time.Minute)
		for _, window := range []time.Duration{time.Hour, 7 * 24 * time.Hour} {
			if p := pool(window); p.Limit != 74 {
				t.Errorf("within %v two instances had %d workers, want 74", window, p.Limit)
			}
		}
	})
}
