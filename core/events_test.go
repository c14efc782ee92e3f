package taskflow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func parseLines(t *testing.T, b []byte) (all []map[string]any) {
	t.Helper()
	for line := range bytes.Lines(b) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func TestEventsTellATasksLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		s := m.Subscribe()
		defer s.Close()
		fails := 1
		h := add(m, func(ctx context.Context) error {
			if fails--; fails >= 0 {
				taskflow.Logger(ctx).Info("oh")
				return errFlaky
			}
			return nil
		}, taskflow.Retry(1, taskflow.Constant(time.Second)))
		<-h.Done()
		synctest.Wait()
		events, lost, err := s.Next(t.Context(), nil)
		if err != nil || lost != 0 {
			t.Fatal(lost, err)
		}
		var got []string
		for i, e := range events {
			if e.Task.ID != h.ID() || e.Seq != uint64(i+1) {
				t.Errorf("event %d is number %d, of %s", i, e.Seq, e.Task.ID)
			}
			what := string(e.Task.Status)
			for _, word := range []string{"oh", "failed", "retry"} {
				if e.Kind == taskflow.EventLog && strings.Contains(strings.ToLower(e.Line), word) {
					what = word
				}
			}
			got = append(got, fmt.Sprintf("%s:%s", e.Kind, what))
		}
		if want := "added:pending started:running log:oh log:failed retrying:pending started:running log:retry finished:success"; strings.Join(got, " ") != want {
			t.Errorf("events are %v, want %s", got, want)
		}
	})
}

func TestASlowSubscriberLosesEventsAndHoldsUpNothing(t *testing.T) {
	t.Parallel()
	m := started(t)
	s := m.Subscribe()
	defer s.Close()
	const n = 3000 // three events each: more than the ring holds
	var last taskflow.Handle
	for range n {
		last = add(m, func() {})
		<-last.Done()
	}
	var seen, lost uint64
	for seen+lost < 3*n {
		events, missed, err := s.Next(t.Context(), make([]taskflow.Event, 0, 1000))
		if err != nil {
			t.Fatal(err)
		}
		seen, lost = seen+uint64(len(events)), lost+missed
	}
	if seen != 4096 || seen+lost != 3*n {
		t.Errorf("%d seen and %d lost of %d", seen, lost, 3*n)
	}
}

func TestNextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := created(t)
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		s, other := m.Subscribe(), m.Subscribe()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := s.Next(ctx, nil)
		wantErr(t, err, context.DeadlineExceeded)
		go func() { time.Sleep(time.Second); s.Close(); s.Close() }()
		_, _, err = s.Next(t.Context(), nil)
		wantErr(t, err, taskflow.ErrStopped)
		<-add(m, func() {}).Done()
		if err := m.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if events, _, err := other.Next(t.Context(), nil); err != nil || len(events) != 3 {
			t.Errorf("%d events left after Stop, %v", len(events), err)
		}
		_, _, err = other.Next(t.Context(), nil)
		wantErr(t, err, taskflow.ErrStopped)
		_, _, err = m.Subscribe().Next(t.Context(), nil)
		wantErr(t, err, taskflow.ErrStopped)
		other.Close()
	})
}

func TestObserversAreToldEverythingBeforeStopReturns(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	kinds := map[taskflow.EventKind]int{}
	count := taskflow.ObserverFunc(func(events []taskflow.Event, lost uint64) {
		mu.Lock()
		defer mu.Unlock()
		for _, e := range events {
			kinds[e.Kind]++
		}
	})
	angry := taskflow.ObserverFunc(func([]taskflow.Event, uint64) { panic("observer") })
	m := started(t, taskflow.WithObserver(angry), taskflow.WithObserver(count))
	for range 100 {
		add(m, func() {})
	}
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kinds[taskflow.EventFinished] != 100 || kinds[taskflow.EventAdded] != 100 {
		t.Errorf("told of %v", kinds)
	}
}

func TestLogObserver(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	m := started(t, taskflow.WithObserver(taskflow.LogObserver(slog.New(slog.NewJSONHandler(&buf, nil)))))
	h := add(m, func() error { return errFlaky }, taskflow.Retry(1, nil), taskflow.Name("line\nbreak"[:4]))
	<-h.Done()
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range parseLines(t, buf.Bytes()) {
		got = append(got, fmt.Sprintf("%v %v %v", l["level"], l["msg"], l["event"]))
	}
	if want := "INFO task added, INFO task started, WARN task retrying, INFO task started, ERROR task finished"; strings.Join(got, ", ") != want {
		t.Errorf("logged %v, want %s", got, want)
	}
}

func TestFailuresAreLoggedByTheManager(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	m := started(t, taskflow.WithLogger(slog.New(slog.NewJSONHandler(&buf, nil))), taskflow.WithQueueSize(1))
	<-add(m, func() { panic("boom\nwith a line break") }, taskflow.Name("bad")).Done()
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		add(m, func() {})
	}
	lines := parseLines(t, buf.Bytes())
	if len(lines) != 2 {
		t.Fatalf("%d lines: %v", len(lines), lines)
	}
	if l := lines[0]; l["task"] != "bad" || l["error"] != "task panicked: boom\nwith a line break" || !strings.Contains(fmt.Sprint(l["stack"]), "events_test.go") {
		t.Errorf("logged %v", l)
	}
	if l := lines[1]; l["msg"] != "taskflow: task refused" {
		t.Errorf("logged %v", l)
	}
}
