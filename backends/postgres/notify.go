package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
)

const (
	// pingEvery is how often a quiet connection is asked whether it is still there: a network that was cut says nothing.
	pingEvery   = 30 * time.Second
	pingTimeout = 10 * time.Second
	// A lost connection is made again after the first wait, then after twice that and so on, for so many attempts.
	firstReconnect = 50 * time.Millisecond
	lastReconnect  = 5 * time.Second
	maxReconnects  = 12
)

// Notify implements [taskflow.Notifier], by LISTEN on a connection of its own. It calls wake also each time that it begins to
// listen. It returns when ctx ends, when the backend is closed, and when the connection was lost and could not be made again
// for half a minute.
func (b *Backend) Notify(ctx context.Context, wake func()) error {
	return b.Use(ctx, "notify", func(db sqlstore.Database, closing <-chan struct{}) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() { // awaited below
			defer close(done)
			select {
			case <-closing:
				cancel(ErrClosed)
			case <-stop:
			}
		}()
		err := db.(*database).listen(ctx, wake)
		close(stop)
		<-done
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("%w (%w)", cause, err)
		}
		return err
	})
}

// listen listens until ctx ends or the connection cannot be made again.
func (d *database) listen(ctx context.Context, wake func()) error {
	pause, failures := firstReconnect, 0
	for {
		listened, err := d.listenOnce(ctx, wake)
		if ctx.Err() != nil {
			return err
		}
		if listened {
			pause, failures = firstReconnect, 0
		} else if failures++; failures >= d.reconnects {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		pause = min(2*pause, lastReconnect)
	}
}

// listenOnce listens until the connection is lost, and reports whether it ever did. The connection is taken out of the pool, so
// that it is made as the pool makes its connections, and does not count among them.
func (d *database) listenOnce(ctx context.Context, wake func()) (listened bool, err error) {
	var pooled *pgxpool.Conn
	if pooled, err = d.pool.Acquire(ctx); err != nil {
		return false, err
	}
	conn := pooled.Hijack()
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
		defer cancel()
		if e := conn.Close(closing); err == nil {
			err = e
		}
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{d.dialect.channel()}.Sanitize()); err != nil {
		return false, err
	}
	for {
		wake() // also at first: something may have happened before
		if err := await(ctx, conn); err != nil {
			return true, err
		}
	}
}

// await returns when there is a notification.
func await(ctx context.Context, conn *pgx.Conn) error {
	for {
		quiet, cancel := context.WithTimeout(ctx, pingEvery)
		_, err := conn.WaitForNotification(quiet)
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		ping, cancel := context.WithTimeout(ctx, pingTimeout)
		err = conn.Ping(ping)
		cancel()
		if err != nil {
			return err
		}
	}
}
