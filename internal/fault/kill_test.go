package fault

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"
)

// random moments, the same for the same seed.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("-seed=%d", s)
	return rand.New(rand.NewPCG(s, s))
}

// moment waits for a random time of at most longest.
func moment(r *rand.Rand, longest time.Duration) {
	<-time.After(time.Duration(r.Int64N(int64(longest))))
}

// TestKilledService: the service is killed at random moments under load, and starts again each time.
func TestKilledService(t *testing.T) {
	for _, idempotent := range []bool{false, true} {
		eachBackend(t, map[bool]string{false: "once", true: "idempotent"}[idempotent], func(t *testing.T, backend string) {
			r := random(t)
			s := settings{
				Backend: backend, Address: freeAddress(t), Ledger: filepath.Join(t.TempDir(), "ledger"),
				Longest: 20 * time.Millisecond, Idempotent: idempotent, Lease: time.Second,
			}
			p := spawn(t, s)
			c := load(t, p.url)
			for range *kills {
				moment(r, 400*time.Millisecond)
				p.kill()
				p = spawn(t, s)
			}
			before := c.count()
			await(t, "an order after the last kill", func() bool { return c.count() > before })
			c.end()
			settled(t, p)
			p.stop()
			judge(t, s, c, *kills)
		})
	}
}
