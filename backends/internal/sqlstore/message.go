package sqlstore

import (
	"context"
	"fmt"
	"strconv"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// maxMessage is the largest message.
const maxMessage = 64 << 10

// Post implements [taskflow.Messenger]. Messages are numbered by a row that is locked until the commit: one with a smaller number
// cannot become visible after one with a larger.
func (s *Store) Post(ctx context.Context, body []byte) error {
	if len(body) > maxMessage {
		return s.wrap(ctx, "post", fmt.Errorf("%w: a message of %d bytes: at most %d", taskflow.ErrInvalidOption, len(body), maxMessage))
	}
	if body == nil {
		body = []byte{}
	}
	return s.write(ctx, "post", func(o *session, tx Tx) error {
		o.later(ctx, tx, "UPDATE {meta} SET value = value + 1 WHERE name = ?", messageRow)
		o.later(ctx, tx, "INSERT INTO {message} (number, posted_at, body) SELECT value, {now}, ? FROM {meta} WHERE name = ?", body, messageRow)
		if o.every(pruneEvery, "message") {
			const kept = 2 * int64(taskflow.MessageRetention)
			o.later(ctx, tx, "DELETE FROM {message} WHERE posted_at < {now} - ?", kept)
		}
		o.notify(ctx, tx)
		return nil
	})
}

// Receive implements [taskflow.Messenger]. The position is the number of the last message.
func (s *Store) Receive(ctx context.Context, after string, limit int) (bodies [][]byte, position string, err error) {
	err = s.read(ctx, "receive", func(o *session) error {
		last, err := o.number(ctx, messageRow)
		if err != nil || after == "" {
			position = strconv.FormatInt(last, 10)
			return err
		}
		from, err := strconv.ParseInt(after, 10, 64)
		if err != nil {
			return fmt.Errorf("%w: %q is not a position: give one that Receive returned", taskflow.ErrInvalidOption, after)
		}
		from = min(from, last) // the tables may have been emptied since, or come from a backup
		sql := fmt.Sprintf("SELECT number, body FROM {message} WHERE number > ? ORDER BY number LIMIT %d", max(limit, 0))
		err = o.query(ctx, sql, []any{from}, func(row Row) error {
			var body []byte
			err := row.Scan(&from, &body)
			bodies = append(bodies, body)
			return err
		})
		position = strconv.FormatInt(from, 10)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return bodies, position, nil
}

// number returns the value of a row of the table meta.
func (s *session) number(ctx context.Context, name string) (n int64, err error) {
	err = s.query(ctx, "SELECT value FROM {meta} WHERE name = ?", []any{name}, func(row Row) error { return row.Scan(&n) })
	return n, err
}
