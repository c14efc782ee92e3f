package peers

import (
	"context"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/taskflow-go/taskflow/internal/testserver"
)

// startAsynq returns a round of asynq's: a client and a server with 64 tasks at once, as many as taskflow's default is here. When the
// server finds nothing to do it sleeps for about a second, unless it is told to look more often: here, after a millisecond. kept keeps
// what is done for a day, as taskflow keeps it.
func startAsynq(b *testing.B, server *testserver.Server, db, goroutines int, kept bool) func(b *testing.B, n int) time.Duration {
	b.Helper()
	redis := asynq.RedisClientOpt{Addr: server.Addr, DB: db, PoolSize: 2 * goroutines}
	client := asynq.NewClient(redis)
	inspector := asynq.NewInspector(redis)
	b.Cleanup(func() {
		if err := client.Close(); err != nil {
			b.Error(err)
		}
		if err := inspector.Close(); err != nil {
			b.Error(err)
		}
	})
	opts := []asynq.Option{asynq.MaxRetry(0)}
	if kept {
		opts = append(opts, asynq.Retention(24*time.Hour))
	}
	var ran arrivals
	mux := asynq.NewServeMux()
	mux.HandleFunc("trivial", func(context.Context, *asynq.Task) error { ran.add(1); return nil })
	return func(b *testing.B, n int) time.Duration {
		b.Helper()
		worker := asynq.NewServer(redis, asynq.Config{
			Concurrency: 64, TaskCheckInterval: time.Millisecond, LogLevel: asynq.FatalLevel,
		})
		if err := worker.Start(mux); err != nil {
			b.Fatal(err)
		}
		defer worker.Shutdown()
		ran.expect(n)
		began := time.Now()
		produce(b, goroutines, n, func() error {
			_, err := client.EnqueueContext(b.Context(), asynq.NewTask("trivial", []byte("7")), opts...)
			return err
		})
		ran.wait(b)
		await(b, func() (bool, error) {
			q, err := inspector.GetQueueInfo("default")
			if err != nil {
				return false, err
			}
			return q.Pending+q.Active == 0, nil
		})
		return time.Since(began)
	}
}
