package taskflow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// seriesFormat is the version of what SeriesPoint.Data holds.
const seriesFormat = 1

// wirePoint is what SeriesPoint.Data holds: JSON, and in a second line that of the functions, which most readers do not want. Times are
// seconds since 1970, by the clock of the instance.
type wirePoint struct {
	Format    int                   `json:"format"`
	Host      string                `json:"host,omitempty"`
	Version   string                `json:"version,omitempty"`
	First     int64                 `json:"first"`             // when it began to count, within the stretch
	Last      int64                 `json:"last"`              // until when it has counted
	Started   int64                 `json:"started,omitempty"` // the manager was started within the stretch
	Stopped   int64                 `json:"stopped,omitempty"` // the manager was stopped within the stretch
	Pools     map[string]wirePool   `json:"pools,omitempty"`
	Total     wireCounts            `json:"total"` // of all functions
	functions map[string]wireCounts // those of which anything was counted; the least busy together as OtherFunctions
	line      []byte                // functions as they were stored, not decoded yet
}

// wirePool is the most that was seen of a pool.
type wirePool struct {
	Limit   int `json:"limit"`
	Running int `json:"running"`
	Waiting int `json:"waiting"`
}

// wireCounts is the JSON form of Counts. A histogram is a list of bucket, count, bucket, count, …; see Bucket.
type wireCounts struct {
	Added       int64   `json:"added,omitempty"`
	Success     int64   `json:"success,omitempty"`
	Failed      int64   `json:"failed,omitempty"`
	Interrupted int64   `json:"interrupted,omitempty"`
	Cancelled   int64   `json:"cancelled,omitempty"`
	Retried     int64   `json:"retried,omitempty"`
	Wait        []int64 `json:"wait,omitempty"`
	Run         []int64 `json:"run,omitempty"`
	RanAt       int64   `json:"ran_at,omitempty"`    // milliseconds since 1970
	FailedAt    int64   `json:"failed_at,omitempty"` // milliseconds since 1970
	Error       string  `json:"error,omitempty"`
}

func (w *wireCounts) empty() bool {
	return w.Added|w.Success|w.Failed|w.Interrupted|w.Cancelled|w.Retried == 0 && len(w.Wait)+len(w.Run) == 0
}

// busy is how much was counted, to tell busy functions from others.
func (w *wireCounts) busy() int64 {
	n := w.Added + w.Success + w.Failed + w.Interrupted + w.Cancelled + w.Retried
	for i := 1; i < len(w.Run); i += 2 {
		n += w.Run[i]
	}
	return n
}

// since is what a meter has counted from one reading to another.
func (c *meter) since(now, base *reading, begin time.Time) wireCounts {
	w := wireCounts{
		Added: now.added - base.added, Retried: now.retried - base.retried,
		Success: now.of(StatusSuccess) - base.of(StatusSuccess), Failed: now.of(StatusFailed) - base.of(StatusFailed),
		Interrupted: now.of(StatusInterrupted) - base.of(StatusInterrupted), Cancelled: now.of(StatusCancelled) - base.of(StatusCancelled),
		Wait: difference(&now.wait, &base.wait), Run: difference(&now.run, &base.run),
	}
	if at := c.ranAt.Load(); at >= begin.UnixNano() {
		w.RanAt = at / 1e6
	}
	if f := c.failure.Load(); f != nil && f.at >= begin.UnixNano() {
		w.FailedAt, w.Error = f.at/1e6, f.text
	}
	return w
}

func (r *reading) of(s Status) int64 { return r.ended[s.index()] }

func difference(now, base *[meterBuckets]uint32) (list []int64) {
	for i := range now {
		if n := now[i] - base[i]; n != 0 {
			list = append(list, int64(i), int64(n))
		}
	}
	return list
}

// counts returns nothing that a damaged point could make of a reader: what makes no sense is left out.
func (w *wireCounts) counts() Counts {
	c := Counts{
		Added: max(w.Added, 0), Success: max(w.Success, 0), Failed: max(w.Failed, 0), Interrupted: max(w.Interrupted, 0),
		Cancelled: max(w.Cancelled, 0), Retried: max(w.Retried, 0), LastRun: timeOfMillis(w.RanAt), LastFailed: timeOfMillis(w.FailedAt),
		LastError: clip(w.Error, maxSeriesError),
	}
	c.Wait.addList(w.Wait)
	c.Run.addList(w.Run)
	return c
}

// wire is the inverse of counts.
func (c *Counts) wire() wireCounts {
	w := wireCounts{
		Added: c.Added, Success: c.Success, Failed: c.Failed, Interrupted: c.Interrupted, Cancelled: c.Cancelled, Retried: c.Retried,
		Wait: c.Wait.list(), Run: c.Run.list(), Error: c.LastError,
	}
	if !c.LastRun.IsZero() {
		w.RanAt = c.LastRun.UnixMilli()
	}
	if !c.LastFailed.IsZero() {
		w.FailedAt = c.LastFailed.UnixMilli()
	}
	return w
}

func timeOfMillis(ms int64) time.Time {
	if ms <= 0 || ms/1000 > lastSecond {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// list is the inverse of addList.
func (h *Histogram) list() (list []int64) {
	for _, i := range slices.Sorted(maps.Keys(h.Buckets)) {
		list = append(list, int64(i), h.Buckets[i])
	}
	return list
}

// addList adds a list of bucket, count, bucket, count, ….
func (h *Histogram) addList(list []int64) {
	for i := 0; i+1 < len(list); i += 2 {
		if bucket, n := list[i], list[i+1]; bucket >= 0 && bucket < meterBuckets && n > 0 && n <= math.MaxUint32*1000 {
			h.AddBucket(int(bucket), n, 0)
		}
	}
}

// maxSeriesFunctions is how many functions a point names; the least busy of more are counted together.
const maxSeriesFunctions = 200

// setFunctions sets the functions and their total.
func (p *wirePoint) setFunctions(all map[string]wireCounts) {
	names := slices.Collect(maps.Keys(all))
	slices.SortFunc(names, func(a, b string) int {
		x, y := all[a], all[b]
		if d := y.busy() - x.busy(); d != 0 {
			return int(max(min(d, 1), -1))
		}
		return strings.Compare(a, b)
	})
	var total, others Counts
	p.functions = make(map[string]wireCounts, min(len(names), maxSeriesFunctions+1))
	for _, name := range names {
		w := all[name]
		c := w.counts()
		total.Merge(&c)
		if len(p.functions) == maxSeriesFunctions || name == OtherFunctions {
			others.Merge(&c)
			continue
		}
		p.functions[name] = w
	}
	p.Total = total.wire()
	if w := others.wire(); !w.empty() {
		p.functions[OtherFunctions] = w
	}
}

// decodePoint reads what SeriesPoint.Data holds.
func decodePoint(data []byte) (wirePoint, error) {
	head, line, _ := bytes.Cut(data, []byte("\n"))
	p := wirePoint{line: line}
	if err := json.Unmarshal(head, &p); err != nil {
		return wirePoint{}, fmt.Errorf("a point of a series cannot be read: %w", err)
	}
	if p.Format < 1 || p.Format > seriesFormat {
		return wirePoint{}, fmt.Errorf("%w: a point of a series has format %d, this version reads up to %d", ErrNewerFormat, p.Format, seriesFormat)
	}
	return p, nil
}

// byFunction returns the counts of the functions.
func (p *wirePoint) byFunction() (map[string]wireCounts, error) {
	if p.functions == nil && len(p.line) > 0 {
		if err := json.Unmarshal(p.line, &p.functions); err != nil {
			return nil, fmt.Errorf("the functions of a point of a series cannot be read: %w", err)
		}
	}
	return p.functions, nil
}

// function returns the counts of one function; none when the point does not name it.
func (p *wirePoint) function(name string) (Counts, error) {
	all, err := p.byFunction()
	w := all[name]
	return w.counts(), err
}

// encode returns the data of a point that a backend takes: functions are left out of one that is too large.
func (p *wirePoint) encode() ([]byte, error) {
	head, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	for {
		line, err := json.Marshal(p.functions)
		if err != nil {
			return nil, err
		}
		if len(head)+1+len(line) <= MaxSeriesBytes {
			return append(append(head, '\n'), line...), nil
		}
		names := slices.Sorted(maps.Keys(p.functions))
		size := func(name string) int { return len(p.functions[name].Wait) + len(p.functions[name].Run) }
		slices.SortStableFunc(names, func(a, b string) int { return size(b) - size(a) })
		for _, name := range names[:(len(names)+1)/2] {
			delete(p.functions, name)
		}
	}
}
