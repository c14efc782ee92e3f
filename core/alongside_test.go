package taskflow_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestStopWaitsForWhatRunsAlongside(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]bool{"of a started manager": true, "of one that was never started": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newSix()
				m := created(t, taskflow.WithBackend(b))
				if start {
					if err := m.Start(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				var cause error
				closed := -1
				err := m.Alongside(func(ctx context.Context) {
					<-ctx.Done()
					cause = context.Cause(ctx)
					time.Sleep(3 * time.Second)
					b.mu.Lock()
					defer b.mu.Unlock()
					closed = b.closed
				})
				if err != nil {
					t.Fatal(err)
				}
				over, cancel := context.WithCancel(t.Context())
				cancel()
				begin := time.Now()
				if err := m.Stop(over); err != nil {
					t.Error(err)
				}
				if took := time.Since(begin); took != 3*time.Second || closed != 0 {
					t.Errorf("Stop took %v, and the backend was closed %d times at the end of what ran alongside; want 3 s and 0", took, closed)
				}
				wantErr(t, cause, taskflow.ErrStopped)
				wantErr(t, m.Alongside(func(context.Context) { t.Error("it was called after Stop") }), taskflow.ErrStopped)
			})
		})
	}
}

func TestWhatRunsAlongsideIsToldWhenTheManagerBeginsToStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := started(t)
		told := false
		if err := m.Alongside(func(ctx context.Context) { <-ctx.Done(); told = true }); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if told {
			t.Error("its context has ended while the manager runs")
		}
		m.BeginShutdown()
		synctest.Wait()
		if !told {
			t.Error("its context has not ended")
		}
		wantErr(t, m.Alongside(func(context.Context) { t.Error("it was called") }), taskflow.ErrStopped)
	})
}

func TestStopDoesNotWaitForEverForWhatRunsAlongside(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := created(t)
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		let := make(chan struct{})
		if err := m.Alongside(func(context.Context) { <-let }); err != nil {
			t.Fatal(err)
		}
		took, err := stopWithin(m, time.Minute)
		if took != 10*time.Second || err == nil || !strings.Contains(err.Error(), "alongside") {
			t.Errorf("Stop: %v after %v, want an error that names what did not return, after 10 s", err, took)
		}
		close(let)
		synctest.Wait()
	})
}

// When the backend has used up the time of Stop, what had returned before is not blamed for it.
func TestStopDoesNotBlameWhatHasReturned(t *testing.T) {
	t.Parallel()
	for range 20 { // in which order the end of the time and of what is waited for are seen is chance
		synctest.Test(t, func(t *testing.T) {
			b := newSix()
			b.onSave = func([]taskflow.Record) error { return errFlaky }
			m := created(t, taskflow.WithBackend(b))
			if err := m.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := m.Alongside(func(context.Context) {}); err != nil {
				t.Fatal(err)
			}
			<-add(m, func() {}).Done()
			if _, err := stopWithin(m, time.Minute); err == nil || strings.Contains(err.Error(), "alongside") {
				t.Errorf("Stop: %v, want nothing but that a task could not be stored", err)
			}
		})
	}
}
