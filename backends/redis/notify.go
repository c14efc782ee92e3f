package redis

import (
	"context"
	"errors"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// How Notify keeps its connection: it asks after a silence whether it is alive, and gives up after some attempts in a row, seven seconds.
const (
	silence    = 20 * time.Second
	attempts   = 8
	firstPause = 50 * time.Millisecond
	longPause  = 2 * time.Second
)

// Notify implements [taskflow.Notifier], by pub/sub. It calls wake also each time that it has subscribed: what happened before that, it has
// missed.
func (b *Backend) Notify(ctx context.Context, wake func()) error {
	return b.use(ctx, "notify", func(c *connection) error {
		listening, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(c.closing, cancel)()
		err := c.keepListening(listening, wake)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case c.closing.Err() != nil:
			return ErrClosed
		}
		return err
	})
}

// keepListening subscribes again when the connection is lost.
func (c *connection) keepListening(ctx context.Context, wake func()) error {
	for failed := 0; ; {
		heard, err := c.listen(ctx, wake)
		if heard {
			failed = 0
		}
		if failed++; failed == attempts || ctx.Err() != nil || errors.Is(sentinelOf(err), ErrAccess) {
			return err
		}
		pause := time.NewTimer(min(firstPause<<failed, longPause))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
	}
}

// listen calls wake for what it hears until the connection fails or ctx ends; heard: it has subscribed.
func (c *connection) listen(ctx context.Context, wake func()) (heard bool, err error) {
	sub := c.client.Subscribe(ctx, c.base+"wake")
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { // a read does not heed ctx
		defer close(closed)
		_ = sub.Close() // it is closed below
	})
	defer func() {
		if !stop() {
			<-closed
		}
		if bad := sub.Close(); bad != nil && !errors.Is(bad, goredis.ErrClosed) && err == nil {
			err = bad
		}
	}()
	for asked := false; ; {
		message, err := sub.ReceiveTimeout(ctx, silence)
		var timeout interface{ Timeout() bool }
		switch {
		case err == nil:
			asked = false
		case errors.As(err, &timeout) && timeout.Timeout() && !asked && ctx.Err() == nil:
			asked = true
			if err := sub.Ping(ctx); err != nil {
				return heard, err
			}
			continue
		default:
			return heard, err
		}
		switch message.(type) {
		case *goredis.Subscription, *goredis.Message:
			heard = true
			wake()
		}
	}
}
