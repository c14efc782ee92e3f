package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// fillUp saves until it fails, and returns how many records were accepted and the error.
func fillUp(t *testing.T, b taskflow.Backend) (accepted int, err error) {
	t.Helper()
	for accepted < 100_000 {
		batch := records(accepted, accepted+200)
		for i := range batch {
			batch[i].Stack = strings.Repeat("x", 1000)
		}
		if _, err := b.Save(t.Context(), batch); err != nil {
			return accepted, err
		}
		accepted += len(batch)
	}
	t.Fatal("100,000 records fitted in")
	return 0, nil
}

func TestFullFileKeepsWhatItHasAndRecovers(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	b := opened(t, path, sqlite.MaxPages(500))
	accepted, err := fillUp(t, b)
	if !errors.Is(err, sqlite.ErrFull) || !strings.Contains(err.Error(), path) {
		t.Fatalf("Save returned %v; want ErrFull and the path", err)
	}
	if n := stored(t, b); n != accepted || n == 0 {
		t.Errorf("%d records are stored, %d were accepted", n, accepted)
	}
	if s, err := b.Stats(t.Context()); err != nil || s.Total() != int64(accepted) {
		t.Errorf("Stats counts %d (%v), want %d", s.Total(), err, accepted)
	}
	if err := b.PutPending(t.Context(), manyPending(2000)); !errors.Is(err, sqlite.ErrFull) {
		t.Errorf("PutPending returned %v, want ErrFull", err)
	}
	if _, err := b.DeleteBefore(t.Context(), record(accepted/2).CreatedAt); err != nil {
		t.Fatalf("DeleteBefore in a full file: %v", err)
	}
	save(t, b, records(accepted, accepted+20)...)
	if n := stored(t, b); n != accepted-accepted/2+20 {
		t.Errorf("%d records are stored after deleting the older half of %d and saving 20", n, accepted)
	}
}

func manyPending(n int) []taskflow.Record {
	list := make([]taskflow.Record, n)
	for i := range list {
		list[i] = pendingRecord(1_000_000+i, "") // none that is finished
		list[i].Error = strings.Repeat("x", 1000)
	}
	return list
}

func TestLockedFile(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	b := opened(t, path, sqlite.BusyTimeout(20*time.Millisecond))
	save(t, b, record(1))
	other := raw(t, path)
	execute(t, other, "BEGIN IMMEDIATE")
	if _, err := b.Save(t.Context(), records(2, 4)); !errors.Is(err, sqlite.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("Save while another holds the lock returned %v; want ErrLocked and the path", err)
	}
	if n := stored(t, b); n != 1 { // readers are not held up
		t.Errorf("%d records are read meanwhile, want 1", n)
	}
	execute(t, other, "COMMIT")
	save(t, b, records(2, 4)...)
	if n := stored(t, b); n != 3 {
		t.Errorf("%d records are stored once the lock is free, want 3", n)
	}
}

func TestLockedFileIsWaitedForAsLongAsTheContextAllows(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	b := opened(t, path, sqlite.BusyTimeout(time.Minute))
	other := raw(t, path)
	execute(t, other, "BEGIN IMMEDIATE")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := b.Save(ctx, records(0, 2)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Save returned %v, want context.DeadlineExceeded", err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("Save returned after %v, its context ended after 50 ms", d)
	}
	saved := make(chan error, 1)
	go func() { // ended by COMMIT, awaited below
		_, err := b.Save(t.Context(), records(0, 2))
		saved <- err
	}()
	execute(t, other, "COMMIT")
	if err := <-saved; err != nil {
		t.Errorf("Save that waited for the lock: %v", err)
	}
}

func TestDamagedFile(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	b := opened(t, path)
	save(t, b, records(0, 2000)...)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(strings.Repeat("damage ", int(info.Size()-4096)/7)), 4096); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	b = sqlite.Open(path)
	err = b.Open(t.Context())
	if err == nil {
		_, err = b.Load(t.Context())
	}
	if !errors.Is(err, sqlite.ErrCorrupt) || !strings.Contains(err.Error(), path) {
		t.Errorf("a damaged file gave %v; want ErrCorrupt and the path", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestDamagedRowsAreSkippedAndNamed(t *testing.T) {
	t.Parallel()
	path := tempFile(t)
	var log logged
	b := opened(t, path, sqlite.Logger(log.logger()))
	save(t, b, records(0, 6)...)
	if err := b.PutPending(t.Context(), []taskflow.Record{pendingRecord(10, ""), pendingRecord(11, "")}); err != nil {
		t.Fatal(err)
	}
	damage := func(n int, change string) {
		execute(t, raw(t, path), fmt.Sprintf(change, "x'"+strings.ReplaceAll(record(n).ID, "-", "")+"'"))
	}
	damage(0, "UPDATE history SET tags = '{' WHERE id = %s")
	damage(1, "UPDATE history SET attempts = 'many' WHERE id = %s")
	damage(2, "UPDATE history SET name_id = 4711 WHERE id = %s")
	damage(3, "UPDATE history SET id = x'00ff' WHERE id = %s")
	damage(10, "UPDATE pending SET record = '{\"task_id\": 5' WHERE id = %s")
	if n := stored(t, b); n != 2 {
		t.Errorf("Load returned %d records, want the 2 sound ones", n)
	}
	p, err := b.Query(t.Context(), taskflow.Query{Limit: 10})
	if err != nil || len(p.Records) != 2 || p.Next != "" {
		t.Errorf("Query returned %d records, Next %q, %v; want the 2 sound ones", len(p.Records), p.Next, err)
	}
	if waiting, err := b.LoadPending(t.Context()); err != nil || len(waiting) != 1 {
		t.Errorf("LoadPending returned %d records, %v; want the sound one", len(waiting), err)
	}
	for _, id := range []string{record(0).ID, record(1).ID, record(2).ID, "00ff", record(10).ID} {
		if !strings.Contains(log.String(), id) {
			t.Errorf("the log does not name the damaged row %s", id)
		}
	}
	if _, err := b.Get(t.Context(), record(0).ID); !errors.Is(err, sqlite.ErrCorrupt) {
		t.Errorf("Get of a damaged row returned %v, want ErrCorrupt", err)
	}
	save(t, b, records(0, 6)...) // what is saved again is sound again
	if n := stored(t, b); n != 6 {
		t.Errorf("Load returned %d records after saving again, want 6", n)
	}
	if n, err := b.DeleteBefore(t.Context(), record(100).CreatedAt); err != nil || n != 7 {
		t.Errorf("DeleteBefore returned %d, %v; want all 6 and the one with a damaged id", n, err)
	}
}

func TestRecordsThatCannotBeStoredAreNamed(t *testing.T) {
	t.Parallel()
	b := opened(t, tempFile(t))
	bad := record(1)
	bad.ID = "no-id"
	_, err := b.Save(t.Context(), []taskflow.Record{record(0), bad})
	if !errors.Is(err, sqlite.ErrInvalidRecord) || !strings.Contains(err.Error(), `"no-id"`) {
		t.Errorf("Save returned %v; want ErrInvalidRecord and the id", err)
	}
	if n := stored(t, b); n != 0 {
		t.Errorf("%d records of a refused call are stored, want none", n)
	}
	if err := b.PutPending(t.Context(), []taskflow.Record{pendingRecord(0, ""), bad}); !errors.Is(err, sqlite.ErrInvalidRecord) {
		t.Errorf("PutPending returned %v, want ErrInvalidRecord", err)
	}
	if waiting, err := b.LoadPending(t.Context()); err != nil || len(waiting) != 0 {
		t.Errorf("LoadPending returned %d records of a refused call, %v", len(waiting), err)
	}
}
