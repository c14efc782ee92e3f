package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// ReserveKey implements [taskflow.KeyStore].
func (b *Backend) ReserveKey(ctx context.Context, r taskflow.Reservation) (holder string, err error) {
	err = b.use(ctx, "reserve key", func(c *connection) error {
		switch {
		case r.Key == "" || len(r.Key) > taskflow.MaxKeyBytes:
			return fmt.Errorf("%w: the key %.100q has %d bytes: 1 to %d are allowed", taskflow.ErrInvalidOption, r.Key, len(r.Key), taskflow.MaxKeyBytes)
		case r.TaskID == "":
			return fmt.Errorf("%w: the key %.100q is for no task", taskflow.ErrInvalidOption, r.Key)
		case r.Retention < time.Millisecond:
			return fmt.Errorf("%w: the retention of the key %.100q is %v: at least 1 ms is needed", taskflow.ErrInvalidOption, r.Key, r.Retention)
		}
		reply, err := c.run(ctx, scriptReserve, r.Key, r.TaskID, r.Owner, r.Retention.Milliseconds())
		holder = text(reply)
		return err
	})
	return holder, err
}

// ReleaseKey implements [taskflow.KeyStore].
func (b *Backend) ReleaseKey(ctx context.Context, key, taskID string) error {
	return b.ReleaseKeys(ctx, []taskflow.Reservation{{Key: key, TaskID: taskID}})
}

// ReleaseKeys implements [taskflow.KeyReleaser].
func (b *Backend) ReleaseKeys(ctx context.Context, held []taskflow.Reservation) error {
	return b.use(ctx, "release keys", func(c *connection) error {
		for part := range slices.Chunk(held, maxSaved) {
			args := make([]any, 0, 2*len(part))
			for _, r := range part {
				args = append(args, r.Key, r.TaskID)
			}
			if _, err := c.run(ctx, scriptReleaseKey, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// TakeSlot implements [taskflow.SlotStore].
func (b *Backend) TakeSlot(ctx context.Context, schedule string, slot time.Time) (taken bool, err error) {
	err = b.use(ctx, "take slot", func(c *connection) error {
		reply, err := c.run(ctx, scriptSlot, schedule, slotText(slot), taskflow.NewID(time.Now()))
		taken = number(reply) == 1
		return err
	})
	return taken, err
}

// slotText are digits that compare like the moments, to the microsecond.
func slotText(slot time.Time) string {
	return fmt.Sprintf("%020d", uint64(slot.UnixMicro())^1<<63)
}

// What Post stores, and for how long: longer than it must, for an instance whose poll is late.
const (
	maxMessage = 64 << 10
	keepFor    = 2 * taskflow.MessageRetention
)

// Post implements [taskflow.Messenger]. A message above 64 KB is refused with [taskflow.ErrInvalidOption].
func (b *Backend) Post(ctx context.Context, body []byte) error {
	return b.use(ctx, "post", func(c *connection) error {
		if len(body) > maxMessage {
			return fmt.Errorf("%w: the message has %d bytes: %d are allowed", taskflow.ErrInvalidOption, len(body), maxMessage)
		}
		_, err := c.run(ctx, scriptPost, body, keepFor.Milliseconds())
		return err
	})
}

// Receive implements [taskflow.Messenger]. A position is the id of an entry in a stream.
func (b *Backend) Receive(ctx context.Context, after string, limit int) (bodies [][]byte, position string, err error) {
	err = b.use(ctx, "receive", func(c *connection) error {
		if after != "" && !isPosition(after) {
			return fmt.Errorf("%w: %.100q is not a position: give one that Receive returned", taskflow.ErrInvalidOption, after)
		}
		if limit < 1 && after != "" {
			position = after
			return nil
		}
		reply, err := c.run(ctx, scriptReceive, after, strconv.Itoa(limit))
		if err != nil {
			return err
		}
		answer := list(reply)
		if len(answer) == 0 {
			return fmt.Errorf("the server answered %v", reply)
		}
		position = text(answer[0])
		for _, body := range answer[1:] {
			bodies = append(bodies, []byte(text(body)))
		}
		return nil
	})
	return bodies, position, err
}

// isPosition reports whether a text has the form of a stream's id, like 1774745999000-3.
func isPosition(s string) bool {
	at, number, ok := strings.Cut(s, "-")
	_, errAt := strconv.ParseUint(at, 10, 64)
	_, errNumber := strconv.ParseUint(number, 10, 64)
	return ok && errAt == nil && errNumber == nil
}
