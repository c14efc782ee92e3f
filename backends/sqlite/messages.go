package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// maxMessage is the size of the largest message, in bytes.
const maxMessage = 64 << 10

// Post implements [taskflow.Messenger]. A message above 64 KB is refused.
func (b *Backend) Post(ctx context.Context, body []byte) error {
	if len(body) > maxMessage {
		return b.wrap("post", fmt.Errorf("%w: the message has %d bytes: at most %d", taskflow.ErrInvalidOption, len(body), maxMessage))
	}
	if body == nil {
		body = []byte{}
	}
	return b.write(ctx, "post", func(c *conn) error {
		at := now()
		if err := c.run(ctx, "INSERT INTO message (posted, body) VALUES (?, ?)", at, body); err != nil {
			return err
		}
		return c.run(ctx, "DELETE FROM message WHERE posted < ? AND number < (SELECT max(number) FROM message)", at-taskflow.MessageRetention.Microseconds())
	})
}

// Receive implements [taskflow.Messenger]. A position is the number of a message.
func (b *Backend) Receive(ctx context.Context, after string, limit int) (bodies [][]byte, position string, err error) {
	var last int64
	if after != "" {
		if last, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, "", b.wrap("receive", fmt.Errorf("%w: %q is not a position: give one that Receive returned", taskflow.ErrInvalidOption, after))
		}
	}
	err = b.read(ctx, "receive", func(c *conn) (err error) {
		if after == "" {
			last, _, err = c.number(ctx, "SELECT coalesce(max(number), 0) FROM message")
			return err
		}
		const sql = "SELECT number, body FROM message WHERE number > ? ORDER BY number LIMIT ?"
		return c.query(ctx, sql, []any{last, int64(max(limit, 0))}, func(row []driver.Value) error {
			r := rowReader{row: row}
			last = r.number()
			bodies = append(bodies, slices.Clone(r.blob()))
			return r.err
		})
	})
	if err != nil {
		return nil, "", err
	}
	return bodies, strconv.FormatInt(last, 10), nil
}
