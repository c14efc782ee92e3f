package peers

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/mikestefanello/backlite"
)

// keptTask is a task of backlite's that is kept when it is done, with its arguments, as taskflow keeps each.
type keptTask struct{ N int }

// Config implements backlite.Task.
func (keptTask) Config() backlite.QueueConfig {
	return backlite.QueueConfig{Name: "kept", MaxAttempts: 1, Retention: &backlite.Retention{Data: &backlite.RetainData{}}}
}

// droppedTask is one that leaves nothing behind.
type droppedTask struct{ N int }

// Config implements backlite.Task.
func (droppedTask) Config() backlite.QueueConfig {
	return backlite.QueueConfig{Name: "dropped", MaxAttempts: 1}
}

// startBacklite returns a round of backlite's.
func startBacklite(b *testing.B, db *sql.DB, workers int, kept bool) func(b *testing.B, n int) time.Duration {
	b.Helper()
	client, err := backlite.NewClient(backlite.ClientConfig{DB: db, NumWorkers: workers, ReleaseAfter: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	if err := client.Install(); err != nil {
		b.Fatal(err)
	}
	var ran arrivals
	client.Register(backlite.NewQueue(func(context.Context, keptTask) error { ran.add(1); return nil }))
	client.Register(backlite.NewQueue(func(context.Context, droppedTask) error { ran.add(1); return nil }))
	ctx, cancel := context.WithCancel(context.Background())
	client.Start(ctx)
	b.Cleanup(func() {
		defer cancel()
		stopping, done := context.WithTimeout(ctx, time.Minute)
		defer done()
		if !client.Stop(stopping) {
			b.Error("backlite does not stop")
		}
	})
	return func(b *testing.B, n int) time.Duration {
		b.Helper()
		ran.expect(n)
		began := time.Now()
		produce(b, producers, n, func() error {
			var t backlite.Task = droppedTask{7}
			if kept {
				t = keptTask{7}
			}
			_, err := client.Add(t).Ctx(b.Context()).Save()
			return err
		})
		ran.wait(b)
		await(b, empty(b, db, "backlite_tasks"))
		return time.Since(began)
	}
}
