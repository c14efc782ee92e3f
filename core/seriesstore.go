package taskflow

import (
	"context"
	"fmt"
	"time"
)

// SeriesStore keeps what instances have counted, for charts. Points are small, and opaque to the backend: the manager encodes and
// decodes them, adds up those of all instances, and removes old ones.
type SeriesStore interface {
	// PutSeries stores points, all or none. One that is there already, of the same resolution, start and instance, is replaced; of
	// several in one call the last stays. So a write that is tried again changes nothing. A point that [SeriesPoint.Check] refuses is
	// an error.
	PutSeries(ctx context.Context, points []SeriesPoint) error
	// Series returns the points of a resolution that start at since or later and before until, in the order of their start, then of
	// their instance.
	Series(ctx context.Context, resolution time.Duration, since, until time.Time) ([]SeriesPoint, error)
	// PruneSeries removes the points of a resolution that start before a time.
	PruneSeries(ctx context.Context, resolution time.Duration, before time.Time) error
}

// SeriesPoint is what one instance has counted in one stretch of time, as a backend keeps it.
type SeriesPoint struct {
	Resolution time.Duration // length of the stretch, in whole seconds
	Start      time.Time     // by the clock of the instance, in whole seconds since 1970, UTC; for display only
	Instance   string        // id, 1 to 255 bytes
	Data       []byte        // at most [MaxSeriesBytes]
}

// MaxSeriesBytes bounds [SeriesPoint.Data].
const MaxSeriesBytes = 1 << 20

// lastSecond is the last second of the year 9999.
const lastSecond = 253_402_300_799

// Check is for backends: it returns an error, which is ErrInvalidOption, for a point that PutSeries refuses.
func (p *SeriesPoint) Check() error {
	at := p.Start.Unix()
	switch {
	case p.Resolution < time.Second || p.Resolution%time.Second != 0:
		return fmt.Errorf("%w: the resolution of a series is in whole seconds, not %v", ErrInvalidOption, p.Resolution)
	case at < 0 || at > lastSecond || p.Start.Nanosecond() != 0:
		return fmt.Errorf("%w: a point of a series starts at a whole second between 1970 and 9999, not at %v", ErrInvalidOption, p.Start)
	case p.Instance == "" || len(p.Instance) > 255:
		return fmt.Errorf("%w: the instance of a series' point has from 1 to 255 bytes, not %d", ErrInvalidOption, len(p.Instance))
	case len(p.Data) > MaxSeriesBytes:
		return fmt.Errorf("%w: a series' point of %d bytes: at most %d", ErrInvalidOption, len(p.Data), MaxSeriesBytes)
	}
	return nil
}
