package dashboard

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestAMemoLetsGoOfWhatIsOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m memo[int]
		for i := range 20 {
			if _, err := m.get(t.Context(), fmt.Sprint(i), func(context.Context) (int, error) { return i, nil }); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := len(m.byKey); n > 4 {
			t.Errorf("it keeps %d answers, of which each is of use for 3 s, after one a second; want 4 at most", n)
		}
	})
}

// What is kept of an answer about failures is what somebody may be shown.
func TestFewGroupsOfFailuresAreKept(t *testing.T) {
	t.Parallel()
	b, now := memory.New(), time.Now()
	var records []taskflow.Record
	for i := range 3000 {
		at := now.Add(-time.Duration(i) * time.Second)
		records = append(records, taskflow.Record{ID: taskflow.NewID(at), Name: "fail", Status: taskflow.StatusFailed, CreatedAt: at, EndTime: at,
			Error: strings.NewReplacer("0", "g", "1", "h", "2", "i", "3", "j", "4", "k", "5", "l", "6", "m", "7", "n", "8", "o", "9", "p").Replace(fmt.Sprint("x", i))})
	}
	if _, err := b.Save(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	m, err := taskflow.New(taskflow.WithBackend(b), taskflow.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	h, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	f, err := h.failuresOf(t.Context(), &selection{Filter: taskflow.Filter{Since: now.Add(-24 * time.Hour)}}, "", now)
	if err != nil || f.Scanned != 3000 || len(f.Groups) != maxLimit || cap(f.Groups) > 2*maxLimit {
		t.Errorf("of %d failures %d groups are kept, in room for %d (%v); want %d", f.Scanned, len(f.Groups), cap(f.Groups), err, maxLimit)
	}
}
