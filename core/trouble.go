package taskflow

import (
	"sync"
	"time"
)

// trouble follows a backend that fails: it spaces the attempts and keeps the log readable.
type trouble struct {
	mu       sync.Mutex
	since    time.Time
	err      error
	wait     time.Duration
	reported time.Time
}

// report notes a failure and returns how long to wait before the next attempt.
func (t *trouble) report(m *Manager, what string, err error) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.since.IsZero() {
		t.since, t.wait = now, retryFirst
	} else {
		t.wait = min(2*t.wait, retryLast)
	}
	t.err = err
	if now.Sub(t.reported) >= 30*time.Second {
		t.reported = now
		m.log.Error("taskflow: the backend does not take records; they are kept in memory and tried again",
			"what", what, "since", t.since, "error", err)
	}
	return t.wait
}

// over notes a success.
func (t *trouble) over(m *Manager, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.since.IsZero() {
		return
	}
	m.log.Info("taskflow: the backend takes records again", "what", what, "after", time.Since(t.since).Round(time.Millisecond))
	t.since, t.err, t.reported = time.Time{}, nil, time.Time{}
}

// began is when the failures began; the zero time when there are none.
func (t *trouble) began() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.since
}

func (t *trouble) lastError() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}
