package sqltest

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Historic returns the n-th record of the benchmarks.
func Historic(n int) taskflow.Record {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Millisecond)
	return taskflow.Record{
		ID: taskflow.NewID(at), Name: "task" + strconv.Itoa(n%20), Status: taskflow.StatusSuccess, Source: taskflow.SourceManual, Pool: taskflow.DefaultPool,
		CreatedAt: at, StartTime: at.Add(time.Millisecond), EndTime: at.Add(time.Duration(n%5000) * time.Millisecond), Attempts: 1,
	}
}

// Record returns the n-th of some finished records.
func Record(n int) taskflow.Record {
	r := Historic(n)
	lowest, _ := taskflow.IDBounds(r.CreatedAt)
	r.ID = fmt.Sprintf("%s%012x", lowest[:24], n)
	return r
}

// Records returns those from one up to, and without, another.
func Records(from, to int) []taskflow.Record {
	var list []taskflow.Record
	for n := from; n < to; n++ {
		list = append(list, Record(n))
	}
	return list
}

// PendingRecord returns the n-th of some waiting records, held by owner.
func PendingRecord(n int, owner string) taskflow.Record {
	r := Record(n)
	r.Status, r.StartTime, r.EndTime, r.Attempts, r.Owner = taskflow.StatusPending, time.Time{}, time.Time{}, 0, owner
	return r
}

// Save stores records in the history.
func Save(t *testing.T, b taskflow.Backend, list ...taskflow.Record) {
	t.Helper()
	if _, err := b.Save(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

// Stored returns the number of records in the history.
func Stored(t *testing.T, b taskflow.Backend) int {
	t.Helper()
	all, err := b.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
