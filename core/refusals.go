package taskflow

import (
	"errors"
	"log/slog"
	"sync"
	"time"
)

// refusals reports refused tasks. Those that come in thousands, because the queue is full or the manager stops, do not flood
// the log: the first is reported at once, then at most one a second, with the number of those in between.
type refusals struct {
	mu     sync.Mutex
	last   time.Time
	silent int
}

func (r *refusals) report(log *slog.Logger, name string, reason error) {
	if !errors.Is(reason, ErrQueueFull) && !errors.Is(reason, ErrStopped) && !errors.Is(reason, ErrDiscarded) {
		log.Warn("taskflow: task refused", "task", name, "reason", reason)
		return
	}
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
	attrs := []any{"task", name, "reason", reason}
	if silent > 0 {
		attrs = append(attrs, "others_since_the_last_line", silent)
	}
	log.Warn("taskflow: task refused", attrs...)
}
