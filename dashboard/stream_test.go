package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

const frame = 60 * time.Millisecond // a little more than changes are collected for

func inBubble(t *testing.T, test func(t *testing.T, s *site), opts ...dashboard.Option) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, open(t, opts...)) })
}

func TestStreamBeginsWithHello(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		w := s.watch()
		got := w.next()
		if len(got) != 1 || got[0].name != "hello" || got[0].id == "" || got[0].data != fmt.Sprintf(`{"instance":%q,"resumed":false}`, s.m.Instance()) {
			t.Errorf("first events %+v", got)
		}
		for name, want := range map[string]string{
			"Content-Type": "text/event-stream", "Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff",
		} {
			if got := w.head.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		w.leave()
	})
}

func TestStreamTellsChangesAtOnceAndLogLinesInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		w := s.watch()
		w.next()
		waiting := s.m.Add(taskflow.WorkOf(func(ctx context.Context) error {
			for i := range 3 {
				taskflow.Logger(ctx).Info(fmt.Sprint("line ", i))
			}
			return errBroken
		}), taskflow.Delay(time.Minute))
		if got := w.next(); len(got) != 1 || got[0].name != "task" || got[0].task(t).ID != waiting.ID() || got[0].task(t).Status != "pending" {
			t.Fatalf("after Add: %+v, want the pending task at once", got)
		}
		got := w.after(time.Minute + frame)
		var lines []string
		final := ""
		for _, e := range got {
			switch e.name {
			case "log":
				v := decodeText[struct {
					ID    string `json:"task_id"`
					Lines []string
					Count int `json:"log_count"`
				}](t, e.data)
				if v.ID != waiting.ID() {
					t.Errorf("log of %s, want %s", v.ID, waiting.ID())
				}
				lines = append(lines, v.Lines...)
				if v.Count != len(lines) {
					t.Errorf("log_count %d after %d lines", v.Count, len(lines))
				}
			case "task":
				final = e.task(t).Status
			}
		}
		if final != "failed" || len(lines) != 3 {
			t.Fatalf("last status %q and lines %q, want failed and three lines", final, lines)
		}
		for i, line := range lines {
			if !strings.Contains(line, fmt.Sprint("line ", i)) {
				t.Errorf("line %d is %q", i, line)
			}
		}
		w.leave()
	})
}

func TestStreamTellsThatATaskWasRetried(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		old := s.runFail()
		w := s.watch()
		w.next()
		again, err := s.m.Retry(t.Context(), old)
		if err != nil {
			t.Fatal(err)
		}
		var told task
		for _, e := range w.after(2 * frame) {
			if e.name == "task" && e.task(t).ID == old {
				told = e.task(t)
			}
		}
		if told.Status != "failed" || told.RetriedBy == nil || *told.RetriedBy != again.ID() {
			t.Errorf("of the old task the stream tells %+v, want it failed and retried by %s", told, again.ID())
		}
		w.leave()
	})
}

func TestStreamSendsOneMessageATaskAndFrame(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		w := s.watch()
		w.next()
		for range 100 {
			s.m.Add(taskflow.WorkOf(ok.With(""))) // three changes each
		}
		got := w.after(2 * frame)
		states := map[string]int{}
		last := map[string]string{}
		for _, e := range got {
			states[e.task(t).ID]++
			last[e.task(t).ID] = e.task(t).Status
		}
		if len(last) != 100 {
			t.Errorf("%d tasks in the stream, want 100", len(last))
		}
		if len(got) > 200 {
			t.Errorf("%d messages for 300 changes in two frames, want at most 200", len(got))
		}
		for id, status := range last {
			if status != "success" || states[id] > 2 {
				t.Errorf("%s: last status %s after %d messages, want success after at most one a frame", id, status, states[id])
			}
		}
		w.leave()
	})
}

func TestStreamIDsIncreaseAndAreSharedByViewers(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		a, b := s.watch(), s.watch()
		a.next()
		b.next()
		for range 5 {
			s.m.Add(taskflow.WorkOf(ok.With("")))
			time.Sleep(frame)
		}
		got, same := a.next(), b.next()
		if fmt.Sprint(got) != fmt.Sprint(same) || len(got) < 5 {
			t.Errorf("two viewers see different things:\n%v\n%v", got, same)
		}
		for i := 1; i < len(got); i++ {
			if number(t, got[i].id) != number(t, got[i-1].id)+1 {
				t.Errorf("id %s follows %s", got[i].id, got[i-1].id)
			}
		}
		a.leave()
		b.leave()
	})
}

func number(t *testing.T, id string) (n int) {
	t.Helper()
	_, digits, _ := strings.Cut(id, "-")
	if _, err := fmt.Sscan(digits, &n); err != nil {
		t.Fatalf("id %q: %v", id, err)
	}
	return n
}

func TestStreamResumes(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		w := s.watch()
		s.m.Add(taskflow.WorkOf(hold.With("")))
		seen := w.after(frame)
		w.leave()
		missed := s.m.Add(taskflow.WorkOf(ok.With("")))
		time.Sleep(10 * time.Second) // nobody watches; the changes are kept
		w = s.watch(header("Last-Event-ID", seen[len(seen)-1].id))
		got := w.next()
		if len(got) < 2 || got[0].name != "hello" || !strings.Contains(got[0].data, `"resumed":true`) || got[0].id != seen[len(seen)-1].id {
			t.Fatalf("events %+v, want a hello that resumes", got)
		}
		for _, e := range got[1:] {
			if e.task(t).ID != missed.ID() {
				t.Errorf("event %+v was seen before", e)
			}
		}
		w.leave()

		time.Sleep(time.Minute) // too long: the subscription has ended
		w = s.watch(header("Last-Event-ID", seen[0].id))
		if got := w.next(); len(got) != 1 || !strings.Contains(got[0].data, `"resumed":false`) {
			t.Errorf("events %+v, want only a hello that does not resume", got)
		}
		w.leave()
	})
}

func TestStreamDoesNotResumeFromForeignIDs(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		w := s.watch()
		hello := w.next()[0]
		epoch, _, _ := strings.Cut(hello.id, "-")
		for _, id := range []string{"", "x", "other-0", "other-1", epoch, epoch + "-", epoch + "--1", epoch + "-1", epoch + "-99999999999999999999999", "\x00"} {
			v := s.watch(header("Last-Event-ID", id))
			if got := v.next(); len(got) != 1 || !strings.Contains(got[0].data, `"resumed":false`) || got[0].id != hello.id {
				t.Errorf("Last-Event-ID %q: %+v, want a hello that does not resume", id, got)
			}
			v.leave()
		}
		w.leave()
	})
}

func TestStreamBoundsWhatOneFrameHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openWith(t, []taskflow.ManagerOption{taskflow.WithBackend(memory.New())})
		w := s.watch()
		s.m.Add(taskflow.WorkOf(func(context.Context) {}))
		w.next()
		for range 3000 {
			s.m.Add(taskflow.WorkOf(func() {}), taskflow.Delay(time.Hour))
		}
		first := w.after(frame)
		resets, tasks := 0, 0
		for _, e := range append(first, w.after(5*time.Second)...) {
			switch e.name {
			case "task":
				tasks++
			case "reset":
				resets++
				if !strings.Contains(e.data, `"reason":"overload"`) {
					t.Errorf("reset %s", e.data)
				}
			}
		}
		if tasks > 1000 || resets < 1 || resets > 3 {
			t.Errorf("%d tasks and %d resets, want at most 1000 tasks and a reset", tasks, resets)
		}
		w.leave()
	})
}

func TestStreamResetIsToldAlsoWhenNothingFollows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openWith(t, nil)
		w := s.watch()
		for range 2 { // the second time within a second of the first reset
			for range 2000 {
				s.m.Add(taskflow.WorkOf(func() {}), taskflow.Delay(time.Hour))
			}
			time.Sleep(2 * frame)
		}
		w.next()
		got := w.after(2 * time.Second)
		if len(got) != 1 || got[0].name != "reset" {
			t.Errorf("got %+v, want the reset that was held back", got)
		}
		w.leave()
	})
}

func TestSlowViewerIsToldToLoadTheListAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		slow, quick := s.watch(), s.watch()
		slow.next()
		slow.gate <- struct{}{} // from now on its writes do not return
		for range 20 {          // far more passes than is kept for it
			for range 400 {
				s.m.Add(taskflow.WorkOf(func() {}), taskflow.Delay(time.Hour))
			}
			time.Sleep(frame)
		}
		<-slow.gate
		got := slow.after(frame)
		last := s.m.Add(taskflow.WorkOf(func() {}), taskflow.Delay(time.Hour))
		got = append(got, slow.after(frame)...)
		reset := slices.IndexFunc(got, func(e event) bool { return e.name == "reset" })
		if reset < 0 || !strings.Contains(got[reset].data, `"reason":"slow"`) {
			t.Fatalf("no reset among %d events", len(got))
		}
		if end := got[len(got)-1]; end.task(t).ID != last.ID() || len(got) > 1000 {
			t.Errorf("%d events, the last %+v; want few, and the latest change at the end", len(got), end)
		}
		if seen := len(quick.next()); seen < 8000 {
			t.Errorf("the quick viewer saw %d events, want all 8001", seen)
		}
		slow.leave()
		quick.leave()
	})
}

func TestStreamHeartbeats(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		w := s.watch()
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		w.mu.Lock()
		n := strings.Count(w.text.String(), ": hb\n\n")
		w.mu.Unlock()
		if n != 3 {
			t.Errorf("%d heartbeats in a minute, want 3", n)
		}
		w.leave()
	}, dashboard.Heartbeat(20*time.Second))
}

func TestStreamSaysGoodbye(t *testing.T) {
	for name, end := range map[string]func(*site){
		"at the beginning of the shutdown": func(s *site) { s.m.BeginShutdown() },
		"when the dashboard is closed":     func(s *site) { _ = s.h.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				w := s.watch()
				end(s)
				got := w.next()
				if last := got[len(got)-1]; last.name != "bye" || last.data != `{"reason":"shutdown"}` || !w.ended() {
					t.Errorf("last event %+v, ended %t; want a bye and the end", last, w.ended())
				}
				s.get("/dashboard/stream", http.StatusServiceUnavailable)
			})
		})
	}
}

func TestStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	hash := cheapHash(t, "secret")
	synctest.Test(t, func(t *testing.T) {
		s := open(t, dashboard.User("ada", hash), dashboard.SessionTTL(time.Hour))
		c, other := s.login("ada", "secret"), s.login("ada", "secret")
		expiring, leaving := s.watch(cookie(c)), s.watch(cookie(other))
		s.post("/auth/logout", http.StatusSeeOther, cookie(other))
		if got := leaving.next(); !leaving.ended() || got[len(got)-1].data != `{"reason":"session"}` {
			t.Errorf("after logout: %+v, ended %t", got, leaving.ended())
		}
		time.Sleep(59 * time.Minute)
		if synctest.Wait(); expiring.ended() {
			t.Error("another session's stream ended too")
		}
		time.Sleep(2 * time.Minute)
		if got := expiring.next(); !expiring.ended() || got[len(got)-1].data != `{"reason":"session"}` {
			t.Errorf("after expiry: %+v, ended %t", got, expiring.ended())
		}
	})
}

func TestStreamViewersAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		a, b := s.watch(), s.watch()
		w := s.get("/dashboard/stream", http.StatusServiceUnavailable)
		if !strings.Contains(detail(t, w), "MaxViewers") || w.Header().Get("Retry-After") == "" {
			t.Errorf("refused with %s", w.Body)
		}
		a.leave()
		c := s.watch()
		if got := c.next(); len(got) != 1 || got[0].name != "hello" {
			t.Errorf("after one left: %+v", got)
		}
		b.leave()
		c.leave()
	}, dashboard.MaxViewers(2))
}

// The manager builds events only while somebody subscribes, and the bubble would not end with a goroutine left in it: the
// manager, which would end it too, is never started here, and the dashboard not closed.
func TestFollowingEndsSomeTimeAfterTheLastViewerLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, err := taskflow.New()
		if err != nil {
			t.Fatal(err)
		}
		h, err := dashboard.New(m)
		if err != nil {
			t.Fatal(err)
		}
		s := &site{t, m, h}
		epochs := map[string]bool{}
		for range 3 {
			for range 2 { // the second time within the time that it lingers
				w := s.watch()
				epoch, _, _ := strings.Cut(w.next()[0].id, "-")
				epochs[epoch] = true
				w.leave()
				time.Sleep(20 * time.Second)
			}
			time.Sleep(20 * time.Second)
		}
		if len(epochs) != 3 {
			t.Errorf("%d subscriptions, want one for each time that somebody came after a pause: 3", len(epochs))
		}
	})
}
