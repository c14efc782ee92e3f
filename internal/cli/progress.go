package cli

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a long command is: as a bar on a terminal, otherwise as a line now and then. It writes to stderr, so that
// it is in nobody's way.
type progress struct {
	a     *app
	bar   *progressbar.ProgressBar // nil: lines
	every time.Duration
	last  time.Time // of the last line
	shown int64     // in the last line
}

// newProgress begins one; where stderr leads says of which kind.
func (a *app) newProgress() *progress {
	p := &progress{a: a, every: 5 * time.Second, last: a.now()}
	if f, ok := a.raw.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = newBar(f)
	}
	return p
}

// newBar draws on a terminal.
func newBar(w io.Writer) *progressbar.ProgressBar {
	return progressbar.NewOptions64(0,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription("copying"),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionFullWidth(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetSpinnerChangeInterval(0), // otherwise it starts a goroutine that nobody can wait for
	)
}

// show is called with the number of entries that are done, and of those expected.
func (p *progress) show(done, total int64) {
	if p.bar == nil {
		if now := p.a.now(); now.Sub(p.last) >= p.every && done > p.shown {
			p.last, p.shown = now, done
			p.a.say("%s of %s", thousands(done), thousands(total))
		}
		return
	}
	// The terminal may be gone: that is no reason to stop copying.
	if p.bar.GetMax64() != total {
		p.bar.ChangeMax64(total)
	}
	_ = p.bar.Set64(done)
}

// end leaves the line to what follows.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
