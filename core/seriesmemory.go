package taskflow

import (
	"context"
	"sync"
	"time"
)

// seriesMemory is the series of a manager whose backend keeps none, or that has no backend: it ends with the process.
type seriesMemory struct {
	mu     sync.Mutex
	points [len(resolutions)][]SeriesPoint // oldest first
	bytes  int
}

// seriesMemoryBytes bounds what is kept. Minutes go first: there are more of them.
const seriesMemoryBytes = 16 << 20

// PutSeries implements [SeriesStore]. The points of one manager come in their order, but for one that is replaced.
func (s *seriesMemory) PutSeries(_ context.Context, points []SeriesPoint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range points {
		list := &s.points[resolutionIndex(p.Resolution)]
		at := len(*list)
		for at > 0 && !(*list)[at-1].Start.Before(p.Start) {
			at--
		}
		s.bytes += len(p.Data)
		switch {
		case at == len(*list):
			*list = append(*list, p)
		case (*list)[at].Start.Equal(p.Start):
			s.bytes -= len((*list)[at].Data)
			(*list)[at] = p
		default: // the clock was put back
			*list = append((*list)[:at:at], append([]SeriesPoint{p}, (*list)[at:]...)...)
		}
	}
	for i := range s.points {
		for s.bytes > seriesMemoryBytes && len(s.points[i]) > 1 {
			s.drop(i, 1)
		}
	}
	return nil
}

func resolutionIndex(d time.Duration) int {
	if d == time.Hour {
		return 1
	}
	return 0
}

// drop removes the oldest points. The caller holds s.mu.
func (s *seriesMemory) drop(index, n int) {
	for _, p := range s.points[index][:n] {
		s.bytes -= len(p.Data)
	}
	clear(s.points[index][:n])
	s.points[index] = s.points[index][n:]
}

// Series implements [SeriesStore].
func (s *seriesMemory) Series(_ context.Context, resolution time.Duration, since, until time.Time) (found []SeriesPoint, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.points[resolutionIndex(resolution)] {
		if !p.Start.Before(since) && p.Start.Before(until) {
			found = append(found, p)
		}
	}
	return found, nil
}

// PruneSeries implements [SeriesStore].
func (s *seriesMemory) PruneSeries(_ context.Context, resolution time.Duration, before time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	index, n := resolutionIndex(resolution), 0
	for n < len(s.points[index]) && s.points[index][n].Start.Before(before) {
		n++
	}
	s.drop(index, n)
	return nil
}
