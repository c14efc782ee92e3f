package taskflow

import "slices"

// readyQueue orders ready jobs: highest priority first, then in order of arrival. Not safe for concurrent use.
type readyQueue struct {
	levels []*level // by descending priority; an empty level stays, there are at most 201
	n      int
}

type level struct {
	priority int
	fifo     []*job // from head on; nil where a job was taken out
	head     int
	n        int
}

func (q *readyQueue) len() int { return q.n }

func (q *readyQueue) push(j *job, priority int) {
	l := q.level(priority)
	if l == nil {
		i, _ := slices.BinarySearchFunc(q.levels, priority, func(l *level, p int) int { return p - l.priority })
		l = &level{priority: priority}
		q.levels = slices.Insert(q.levels, i, l)
	}
	if l.head > 0 && len(l.fifo) == cap(l.fifo) && l.head >= len(l.fifo)/2 {
		n := copy(l.fifo, l.fifo[l.head:])
		clear(l.fifo[n:])
		l.fifo, l.head = l.fifo[:n], 0
	}
	l.fifo = append(l.fifo, j)
	l.n++
	q.n++
}

// pop returns the next job, nil when there is none.
func (q *readyQueue) pop() *job {
	for _, l := range q.levels {
		if l.n == 0 {
			continue
		}
		for l.fifo[l.head] == nil {
			l.head++
		}
		j := l.fifo[l.head]
		l.fifo[l.head] = nil
		l.head++
		l.took(q)
		return j
	}
	return nil
}

// remove takes out a job, wherever it stands. It looks from the end, where Stop, which goes from the newest to the oldest,
// finds each at once.
func (q *readyQueue) remove(j *job, priority int) {
	l := q.level(priority)
	if l == nil {
		return
	}
	for i := len(l.fifo) - 1; i >= l.head; i-- {
		if l.fifo[i] != j {
			continue
		}
		l.fifo[i] = nil
		for len(l.fifo) > l.head && l.fifo[len(l.fifo)-1] == nil {
			l.fifo = l.fifo[:len(l.fifo)-1]
		}
		l.took(q)
		return
	}
}

func (l *level) took(q *readyQueue) {
	l.n--
	q.n--
	if l.n == 0 {
		if clear(l.fifo); cap(l.fifo) > 4096 {
			l.fifo = nil // a burst is over
		}
		l.fifo, l.head = l.fifo[:0], 0
	}
}

func (q *readyQueue) level(priority int) *level {
	for _, l := range q.levels {
		if l.priority == priority {
			return l
		}
	}
	return nil
}
