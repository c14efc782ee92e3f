package taskflow

import (
	"strings"
	"time"
)

// Counts are what was counted of tasks in some time: of one function, or of all. The zero value is empty and ready to use. Not safe for
// concurrent use.
type Counts struct {
	Added       int64 // accepted
	Success     int64 // ended like this
	Failed      int64
	Interrupted int64
	Cancelled   int64     // refused ones among them
	Retried     int64     // attempts that failed and were followed by another
	Wait        Histogram // of each attempt: from when it was ready to run, its delay being over, to its start. No Sum
	Run         Histogram // of each attempt: from its start to its end. No Sum
	LastRun     time.Time // when the latest attempt started; zero: none did
	LastFailed  time.Time // when the latest failed task ended; zero: none failed
	LastError   string    // the first line of its error, shortened
}

// Ended is how many tasks reached a final status.
func (c *Counts) Ended() int64 { return c.Success + c.Failed + c.Interrupted + c.Cancelled }

// Merge adds what o has counted.
func (c *Counts) Merge(o *Counts) {
	c.Added += o.Added
	c.Success += o.Success
	c.Failed += o.Failed
	c.Interrupted += o.Interrupted
	c.Cancelled += o.Cancelled
	c.Retried += o.Retried
	c.Wait.Merge(&o.Wait)
	c.Run.Merge(&o.Run)
	if o.LastRun.After(c.LastRun) {
		c.LastRun = o.LastRun
	}
	if o.LastFailed.After(c.LastFailed) {
		c.LastFailed, c.LastError = o.LastFailed, o.LastError
	}
}

// maxSeriesError bounds what counters keep of an error, in bytes.
const maxSeriesError = 200

// errorLine is the first line of an error, shortened.
func errorLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return clip(line, maxSeriesError)
}
