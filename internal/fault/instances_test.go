package fault

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestThreeInstances share a backend; one after the other is killed, or paused for longer than its lease, under load.
func TestThreeInstances(t *testing.T) {
	for _, idempotent := range []bool{false, true} {
		eachBackend(t, map[bool]string{false: "once", true: "idempotent"}[idempotent], func(t *testing.T, backend string) {
			r := random(t)
			const lease = time.Second
			common := settings{
				Backend: backend, Ledger: filepath.Join(t.TempDir(), "ledger"), Longest: 20 * time.Millisecond, Idempotent: idempotent, Lease: lease,
			}
			var services [3]settings
			var running [3]*process
			var urls []string
			for i := range services {
				services[i] = common
				services[i].Address = freeAddress(t)
				running[i] = spawn(t, services[i])
				urls = append(urls, running[i].url)
			}
			c := load(t, urls...)
			killed, paused := 0, 0
			for n := range *kills {
				i := r.IntN(3)
				moment(r, 400*time.Millisecond)
				if n%2 == 0 {
					killed++
					running[i].kill()
					moment(r, 2*lease) // the other two may find it
					running[i] = spawn(t, services[i])
				} else {
					paused++
					running[i].signal(syscall.SIGSTOP)
					moment(r, 2*lease)
					moment(r, 2*lease)
					running[i].signal(syscall.SIGCONT)
				}
			}
			before := c.count()
			await(t, "an order after the last fault", func() bool { return c.count() > before })
			c.end()
			for _, p := range running {
				settled(t, p)
			}
			for _, p := range running {
				p.stop()
			}
			t.Logf("killed %d, paused %d", killed, paused)
			judge(t, common, c, *kills)
		})
	}
}
