package memory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// maxMessage is the size of the largest message, in bytes.
const maxMessage = 64 << 10

// message is one that was posted. Its number is its position.
type message struct {
	number int64
	ends   time.Time
	body   []byte
}

// Post implements [taskflow.Messenger].
func (b *Backend) Post(ctx context.Context, body []byte) error {
	leave, err := b.enter(ctx, "post")
	if err != nil {
		return err
	}
	defer leave()
	if len(body) > maxMessage {
		return fmt.Errorf("memory: post: %w: the message has %d bytes: at most %d", taskflow.ErrInvalidOption, len(body), maxMessage)
	}
	now := time.Now()
	b.messages = slices.DeleteFunc(b.messages, func(m message) bool { return now.After(m.ends) })
	b.posted++
	b.messages = append(b.messages, message{b.posted, now.Add(taskflow.MessageRetention), slices.Clone(body)})
	b.notify()
	return nil
}

// Receive implements [taskflow.Messenger].
func (b *Backend) Receive(ctx context.Context, after string, limit int) (bodies [][]byte, position string, err error) {
	leave, err := b.enter(ctx, "receive")
	if err != nil {
		return nil, "", err
	}
	defer leave()
	last := b.posted
	if after != "" {
		if last, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, "", fmt.Errorf("memory: receive: %w: %q is not a position: give one that Receive returned", taskflow.ErrInvalidOption, after)
		}
	}
	for _, m := range b.messages {
		if m.number > last && len(bodies) < limit {
			bodies = append(bodies, slices.Clone(m.body))
			last = m.number
		}
	}
	return bodies, strconv.FormatInt(last, 10), nil
}

// Notify implements [taskflow.Notifier]. It returns when ctx ends, or with [ErrClosed] at Close.
func (b *Backend) Notify(ctx context.Context, wake func()) error {
	leave, err := b.enter(ctx, "notify")
	if err != nil {
		return err
	}
	id, changed := b.listened, make(chan struct{}, 1)
	b.listened++
	b.listeners[id] = changed
	leave()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners, id)
	}()
	for {
		select {
		case <-changed:
			wake()
		case <-ctx.Done():
			return fmt.Errorf("memory: notify: %w", ctx.Err())
		case <-b.closed:
			return fmt.Errorf("memory: notify: %w", ErrClosed)
		}
	}
}

// notify tells the listeners that there is a message, or that pending rows became free. The caller holds b.mu.
func (b *Backend) notify() {
	for _, changed := range b.listeners {
		select {
		case changed <- struct{}{}:
		default: // it has not yet heard of the change before
		}
	}
}
