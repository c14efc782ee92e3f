package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// pastLength is over what time the past is spread.
const pastLength = 24 * time.Hour

// writePast puts n finished tasks of the last day into the database, the same each time but for when that was, and what was counted of
// them. A database that has some already is left as it is.
func writePast(ctx context.Context, file string, n int, now time.Time) (err error) {
	if n == 0 {
		return nil
	}
	b := sqlite.Open(file)
	if err := b.Open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if page, err := b.Query(ctx, taskflow.Query{Limit: 1}); err != nil || len(page.Records) > 0 {
		return err
	}
	random := rand.New(rand.NewPCG(1, 2))
	counted := newCounted("0198c0de-0000-7000-8000-000000000001")
	const most = 5000 // in one call
	records := make([]taskflow.Record, 0, min(n, most))
	for i := range n {
		at := now.Add(-moment(float64(n-i)/float64(n), random))
		r := pastTask(random, i, at, now)
		counted.add(&r)
		records = append(records, r)
		if len(records) == most || i == n-1 {
			if _, err := b.Save(ctx, records); err != nil {
				return err
			}
			records = records[:0]
		}
	}
	return b.PutSeries(ctx, counted.points())
}

// moment is how long ago a task was added, of which a share of all came later: there are busy hours and quiet ones.
func moment(share float64, random *rand.Rand) time.Duration {
	busy := share + 0.035*math.Sin(share*6*math.Pi)
	jitter := time.Duration(random.Float64() * float64(2*time.Minute))
	return time.Second + min(time.Duration(busy*float64(pastLength-3*time.Minute))+jitter, pastLength)
}

// pastTask is one of them. For half an hour, three hours ago, the stock's database was away.
func pastTask(random *rand.Rand, i int, at, now time.Time) taskflow.Record {
	weights := []int{46, 18, 12, 10, 6, 2, 6} // of usualNames
	pick := random.IntN(100)
	name := 0
	for pick >= weights[name] {
		pick -= weights[name]
		name++
	}
	wait := time.Duration(20+random.ExpFloat64()*180) * time.Millisecond
	run := time.Duration((50 + random.ExpFloat64()*400) * float64(1+name) * float64(time.Millisecond))
	run = min(run, max(now.Sub(at)-wait, 0))
	r := taskflow.Record{
		ID: taskflow.NewID(at), Name: usualNames[name], Status: taskflow.StatusSuccess, Source: taskflow.SourceManual, Pool: taskflow.DefaultPool,
		CreatedAt: at, StartTime: at.Add(wait), EndTime: at.Add(wait + run), Attempts: 1,
		Tags: map[string]string{"user": fmt.Sprint(100 + random.IntN(400))}, Owner: "0198c0de-0000-7000-8000-000000000001",
		Args: json.RawMessage(`{"note":"of the past"}`),
	}
	ago := now.Sub(at)
	away := ago < 3*time.Hour && ago > 150*time.Minute
	switch chance := random.IntN(1000); {
	case r.Name == "sync_inventory" && (away && chance < 900 || chance < 15):
		r.Status, r.Error = taskflow.StatusFailed, fmt.Sprintf("connect to the stock: dial tcp 10.0.3.17:%d: connect: connection refused", 30000+random.IntN(20000))
	case r.Name == "charge_card" && chance < 60:
		r.Status, r.Error = taskflow.StatusFailed, fmt.Sprintf("charge order %d: the card was declined (code %d)", 48000+i, 51)
		r.Attempts, r.MaxRetries = 3, 2
	case r.Name == "import_orders" && chance < 40:
		r.Status, r.Error = taskflow.StatusFailed, fmt.Sprintf("orders-%d.csv: line %d: the price is missing", i, random.IntN(5000))
	case r.Name == "send_email" && chance < 6:
		r.Status, r.Error = taskflow.StatusFailed, "smtp: 451 4.7.1 try again later"
	case chance > 996:
		r.Status, r.Error = taskflow.StatusInterrupted, "the program stopped before it had ended"
	case chance > 990:
		r.Status, r.Error, r.StartTime, r.Attempts = taskflow.StatusCancelled, "cancelled by ada", time.Time{}, 0
	}
	if r.Attempts > 0 {
		r.Logs = []string{stamp(r.StartTime) + " INFO begun order=" + fmt.Sprint(i), stamp(r.EndTime) + " INFO ended"}
		r.LogCount = len(r.Logs)
	}
	return r
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
