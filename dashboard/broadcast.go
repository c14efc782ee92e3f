package dashboard

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const (
	frameTime  = 50 * time.Millisecond // changes of so long become one message a task
	drainEvery = 10 * time.Millisecond // within it: often enough that the manager's ring does not run over
	resetPause = time.Second           // between two calls to load the list again
	ringCount  = 4096
	ringBytes  = 4 << 20
	epochBytes = 8
)

// broadcast turns the changes of tasks into messages, each encoded once, and keeps the latest for all viewers and for those that come
// back. One goroutine, follow, writes what the manager tells, and another what is around it; viewers read.
type broadcast struct {
	epoch string // in front of every id: a position in another broadcast, of this process or another, means nothing here
	done  chan struct{}

	touched *atomic.Bool // set when a task has changed; set before follow begins

	mu      sync.Mutex
	ring    []message // oldest first
	size    int       // bytes in ring
	last    uint64    // id of the newest message
	changed chan struct{}
	told    told
}

type message struct {
	id   uint64
	data []byte // as it goes over the wire
}

func newBroadcast(epoch string) *broadcast {
	return &broadcast{epoch: epoch, done: make(chan struct{}), changed: make(chan struct{})}
}

// follow reads sub until ctx or the manager ends.
func (b *broadcast) follow(ctx context.Context, sub *taskflow.Subscription) {
	defer close(b.done)
	defer sub.Close()
	over, cancel := context.WithCancel(ctx)
	cancel() // with a context that is over, Next returns what is there without waiting
	var (
		f              frame
		flushed, reset time.Time
		buf            = make([]taskflow.Event, 0, 256)
	)
	for {
		// The first change is sent at once; those that follow soon wait for the end of the frame.
		wait, stop := ctx, context.CancelFunc(func() {})
		if f.missed > 0 { // a reset is due, even if nothing happens any more
			wait, stop = context.WithDeadline(ctx, reset.Add(resetPause))
		}
		events, lost, err := sub.Next(wait, buf)
		stop()
		if err != nil && (ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded)) {
			return
		}
		f.add(events, lost)
		for time.Since(flushed) < frameTime {
			if pause(ctx, min(drainEvery, frameTime-time.Since(flushed))) != nil {
				return
			}
			for {
				events, lost, err = sub.Next(over, buf)
				if err != nil {
					break // nothing more for now; if it is for ever, the next turn finds that
				}
				f.add(events, lost)
				if time.Since(flushed) >= frameTime {
					break
				}
			}
		}
		flushed = time.Now()
		if f.changed() {
			b.touched.Store(true)
		}
		made, missed := f.take()
		if missed > 0 {
			if flushed.Sub(reset) >= resetPause {
				reset = flushed
				made = append(made, resetEvent(missed))
			} else {
				f.missed = missed // said later, in one go
			}
		}
		b.publish(made)
	}
}

func (b *broadcast) publish(events []event) {
	if len(events) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.last
	for i := range events {
		e := &events[i]
		if b.told.old(e) {
			continue
		}
		b.last++
		data := fmt.Appendf(nil, "id: %s\nevent: %s\ndata: %s\n\n", b.position(b.last), e.name, e.data)
		b.ring = append(b.ring, message{b.last, data})
		b.size += len(data)
	}
	if b.last == before {
		return
	}
	drop := 0
	for len(b.ring)-drop > ringCount || b.size > ringBytes {
		b.size -= len(b.ring[drop].data)
		b.ring[drop] = message{} // let go of the bytes
		drop++
	}
	b.ring = b.ring[drop:]
	close(b.changed)
	b.changed = make(chan struct{})
}

// resetEvent says that some changes are not in the stream.
func resetEvent(missed uint64) event {
	return event{name: "reset", data: fmt.Appendf(nil, `{"reason":"overload","missed":%d}`, missed)}
}

// position is how an id is written in the stream.
func (b *broadcast) position(id uint64) string { return b.epoch + "-" + strconv.FormatUint(id, 10) }

// resume finds where a viewer that has seen everything up to lastEventID goes on. ok is false when what it missed is gone, or lastEventID
// is of another broadcast; it goes on at the newest message then, after having loaded the list again.
func (b *broadcast) resume(lastEventID string) (seen uint64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	epoch, number, _ := strings.Cut(lastEventID, "-")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || epoch != b.epoch || n > b.last || n < b.oldest() {
		return b.last, false
	}
	return n, true
}

// oldest is the smallest id from which a viewer can go on.
func (b *broadcast) oldest() uint64 { return b.last - uint64(len(b.ring)) }

// after returns the messages that follow seen, up to about limit bytes; the id of the last of them; and a channel that is
// closed when there are more. ok is false when the viewer was too slow and some are gone: it goes on at the newest.
func (b *broadcast) after(seen uint64, limit int) (messages [][]byte, upTo uint64, more <-chan struct{}, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if seen < b.oldest() {
		return nil, b.last, b.changed, false
	}
	for _, m := range b.ring[seen-b.oldest():] {
		if limit -= len(m.data); limit < 0 && len(messages) > 0 {
			break
		}
		messages = append(messages, m.data)
		seen = m.id
	}
	return messages, seen, b.changed, true
}
