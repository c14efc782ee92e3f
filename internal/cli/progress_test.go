package cli

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"time"
)

func TestProgressInLines(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	now := noon
	a := &app{now: func() time.Time { return now }, out: bufio.NewWriter(io.Discard), err: &b, raw: &b}
	p := a.newProgress()
	p.show(0, 5000)
	for n := int64(1); n <= 4; n++ {
		now = now.Add(3 * time.Second)
		p.show(n*1000, 5000)
	}
	p.end()
	if got, want := b.String(), "2,000 of 5,000\n4,000 of 5,000\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestProgressAsABar: it shows the share, grows with what there is to do, and leaves an empty line.
func TestProgressAsABar(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	p := &progress{bar: newBar(&b)}
	p.show(0, 200)
	p.show(200, 400)
	p.show(400, 400)
	if !strings.Contains(b.String(), "100% |") || !strings.Contains(b.String(), "(400/400") {
		t.Errorf("%q", b.String())
	}
	p.end()
	lines := strings.Split(b.String(), "\r")
	if last := lines[len(lines)-1]; strings.TrimSpace(last) != "" {
		t.Errorf("the line is left as %q", last)
	}
}
