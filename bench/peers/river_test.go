package peers

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// riverArgs are the arguments of a trivial job.
type riverArgs struct {
	N int `json:"n"`
}

// Kind implements river.JobArgs.
func (riverArgs) Kind() string { return "trivial" }

type riverWorker struct {
	river.WorkerDefaults[riverArgs]
	ran *arrivals
}

// Work implements river.Worker.
func (w *riverWorker) Work(context.Context, *river.Job[riverArgs]) error { w.ran.add(1); return nil }

// riverWorkers is how many jobs may run at once, as in River's own benchmark.
const riverWorkers = 2_000

// startRiver returns a round of River's, with the settings of its own benchmark (river bench): 2000 workers, fetching again after
// 2 ms, polling each 20 ms. batch is how many jobs a producer inserts at a time, by InsertManyFast (COPY), the fastest way that is
// documented; with 1 it inserts each by Insert. Done jobs stay in the table for a day.
func startRiver(b *testing.B, url string, batch int) func(b *testing.B, n int) time.Duration {
	b.Helper()
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		b.Fatal(err)
	}
	cfg.MaxConns = 20
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	driver := riverpgxv5.New(pool)
	quiet := slog.New(slog.DiscardHandler)
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := migrator.Migrate(b.Context(), rivermigrate.DirectionUp, nil); err != nil {
		b.Fatal(err)
	}
	var ran arrivals
	workers := river.NewWorkers()
	river.AddWorker(workers, &riverWorker{ran: &ran})
	client, err := river.NewClient(driver, &river.Config{
		FetchCooldown: 2 * time.Millisecond, FetchPollInterval: 20 * time.Millisecond, Logger: quiet, MaxAttempts: 1,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: riverWorkers}}, Workers: workers,
	})
	if err != nil {
		b.Fatal(err)
	}
	add := func() error { _, err := client.Insert(b.Context(), riverArgs{7}, nil); return err }
	if batch > 1 {
		add = func() error {
			jobs := make([]river.InsertManyParams, batch)
			for i := range jobs {
				jobs[i].Args = riverArgs{7}
			}
			_, err := client.InsertManyFast(b.Context(), jobs)
			return err
		}
	}
	return func(b *testing.B, n int) time.Duration {
		b.Helper()
		if err := client.Start(context.Background()); err != nil {
			b.Fatal(err)
		}
		defer func() {
			if err := client.Stop(context.Background()); err != nil {
				b.Error(err)
			}
		}()
		ran.expect(n)
		began := time.Now()
		produce(b, producers, n/batch, add)
		ran.wait(b)
		await(b, func() (done bool, err error) {
			err = pool.QueryRow(b.Context(), "SELECT NOT EXISTS (SELECT FROM river_job WHERE state IN ('available', 'running'))").Scan(&done)
			return done, err
		})
		return time.Since(began)
	}
}
