package taskflow

// A lease that is lost means that another instance may hold what was durable here. Such a job is let go of: its function is told to
// end, nothing of it is written any more, and who asks for it gets what the backend says.

// loseAll lets go of the jobs that owner held, and returns how many.
func (m *Manager) loseAll(owner string) (n int) {
	m.registry.walk(taskID{}, func(j *job) bool {
		if m.lose(j, owner) {
			n++
		}
		return true
	})
	return n
}

// lose lets go of a job if owner held it. False: it did not, or the job is over or being saved, which the backend fences.
func (m *Manager) lose(j *job, owner string) bool {
	j.mu.Lock()
	if j.owner != owner || owner == "" || j.lost || j.status.Final() || j.place == placeShelf {
		j.mu.Unlock()
		return false
	}
	j.lost = true
	ran := j.status == StatusRunning
	place, start, expiry, admitted, cancel := j.place, j.start, j.expiry, j.admitted, j.cancel
	j.place, j.start, j.expiry, j.admitted = placeNone, nil, nil, false
	j.setFailure(newFailure(ErrLeaseLost))
	m.emit(j, EventMoved)
	if !ran {
		j.work.fn, j.ctx = nil, nil
	} else if cancel != nil {
		cancel(ErrLeaseLost)
	}
	j.mu.Unlock()
	m.letGo(j, place, start, expiry)
	if admitted {
		m.pending.Add(-1)
	}
	m.registry.lose(j, ran)
	j.announce()
	return true
}
