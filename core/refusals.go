package taskflow

import (
	"log/slog"
	"sync"
	"time"
)

// refusals reports refused tasks without flooding the log when thousands are refused in a second: the first at once, then
// at most one line a second that says how many there were.
type refusals struct {
	mu     sync.Mutex
	last   time.Time
	silent int
}

func (r *refusals) report(log *slog.Logger, name string, reason error) {
	r.mu.Lock()
	now := time.Now()
	if now.Sub(r.last) < time.Second {
		r.silent++
		r.mu.Unlock()
		return
	}
	silent := r.silent
	r.last, r.silent = now, 0
	r.mu.Unlock()
	log.Warn("taskflow: task refused", "task", name, "reason", reason, "refused_before_unreported", silent)
}
