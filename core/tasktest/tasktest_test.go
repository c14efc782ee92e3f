package tasktest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/core/tasktest"
)

type address struct {
	To     string
	secret string
}

func TestWhatARequestAdds(t *testing.T) {
	t.Parallel()
	sent := make(chan string, 10)
	send := taskflow.Define("send", func(ctx context.Context, to string) error {
		if to == "ada" {
			taskflow.Add(ctx, func() { sent <- "a copy" })
		}
		sent <- to
		return nil
	})
	m := tasktest.Start(t, taskflow.WithTasks(send))
	ctx, respond := tasktest.Request(t, m)
	taskflow.Add(ctx, send.With("ada"))
	taskflow.Add(ctx, send.With("grace"))
	if len(sent) != 0 {
		t.Error("a task ran before the response")
	}
	respond()
	if len(sent) != 3 {
		t.Errorf("%d of 3 tasks are done", len(sent))
	}
	if got := tasktest.Added(t, m, send); !slices.Equal(got, []string{"ada", "grace"}) {
		t.Errorf("added %q", got)
	}
}

func TestWaitInFakeTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := tasktest.Start(t)
		boom := errors.New("boom")
		h := m.Add(taskflow.WorkOf(func() error { return boom }), taskflow.Retry(2, taskflow.Constant(10*time.Second)))
		if r := tasktest.Wait(t, h); r.Status != taskflow.StatusFailed || r.Attempts != 3 {
			t.Errorf("%s after %d attempts", r.Status, r.Attempts)
		}
	})
}

func TestRoundTripShowsWhatIsLost(t *testing.T) {
	t.Parallel()
	task := taskflow.Define("send", func(context.Context, address) error { return nil })
	if got := tasktest.RoundTrip(t, task, address{"ada", "x"}); got != (address{To: "ada"}) {
		t.Errorf("%+v", got)
	}
}
