package sqlite_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAContextThatEndsBetweenTwoRowsEndsTheCall(t *testing.T) {
	t.Parallel()
	b := opened(t, tempFile(t))
	save(t, b, records(0, 10)...)
	ctx, cancel := context.WithCancel(t.Context())
	rows := 0
	err := b.Rows(ctx, "SELECT id FROM history", func() {
		rows++
		cancel()
	})
	if !errors.Is(err, context.Canceled) || rows != 1 {
		t.Errorf("it read %d rows and returned %v; want one row and context.Canceled", rows, err)
	}
	if n := stored(t, b); n != 10 {
		t.Errorf("the next call read %d records, want 10", n)
	}
}

// A text whose pieces are everywhere, in an order that few records have, costs the index its most.
func TestALookUpOfTextEndsInTime(t *testing.T) {
	t.Parallel()
	b := opened(t, tempFile(t))
	list := records(0, 1_500)
	for i := range list {
		half := strings.Repeat("ab", 20)
		list[i].Error = strings.Repeat(half+"x"+half+"cabc", 20)
	}
	list[0].Error = "abababababababcababab"
	save(t, b, list...)
	const text = "abababababababcababab"
	began := time.Now()
	if complete, err := b.TextHits(t.Context(), text, time.Minute); err != nil || !complete {
		t.Fatalf("without a limit: complete %v, %v", complete, err)
	}
	whole := time.Since(began)
	best := whole
	for range 5 { // a busy machine may hold up one attempt
		began = time.Now()
		complete, err := b.TextHits(t.Context(), text, whole/20)
		if err != nil || complete {
			t.Fatalf("within %v of %v: complete %v, %v; want an incomplete answer and no error", whole/20, whole, complete, err)
		}
		best = min(best, time.Since(began))
	}
	if best > whole/2 {
		t.Errorf("with a limit of %v it took %v, without one %v", whole/20, best, whole)
	}
}
