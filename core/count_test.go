package taskflow_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestCountCountsWhatAListingHas(t *testing.T) {
	t.Parallel()
	for name, backend := range map[string]func() taskflow.Backend{
		"no backend":   func() taskflow.Backend { return nil },
		"six methods":  func() taskflow.Backend { return newSix() },
		"all it needs": func() taskflow.Backend { return memory.New() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				opts := []taskflow.ManagerOption{taskflow.WithWindow(3)}
				if b := backend(); b != nil {
					opts = []taskflow.ManagerOption{taskflow.WithWindow(3), taskflow.WithBackend(b)}
				}
				m := started(t, opts...)
				for range 3 {
					<-add(m, func() {}).Done()
					<-add(m, func() error { return errors.New("broken") }).Done()
				}
				time.Sleep(time.Second)
				<-add(m, func() error { return errors.New("not stored yet") }).Done()
				live := add(m, untilCancelled)
				synctest.Wait()
				defer end(t, m, live)
				for _, tt := range []struct {
					filter taskflow.Filter
					limit  int
					exact  bool
				}{
					{taskflow.Filter{}, 100, true},
					{taskflow.Filter{}, 3, false},
					{taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusFailed}}, 100, true},
					{taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusRunning}}, 100, true},
					{taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusRunning, taskflow.StatusFailed}}, 100, true},
					{taskflow.Filter{Statuses: []taskflow.Status{taskflow.StatusFailed}}, 1, false},
					{taskflow.Filter{Text: "nothing has this"}, 100, true},
					{taskflow.Filter{Statuses: []taskflow.Status{"unheard of"}}, 100, true},
				} {
					page, err := m.List(t.Context(), taskflow.Query{Filter: tt.filter})
					if err != nil {
						t.Fatal(err)
					}
					n, exact, err := m.Count(t.Context(), tt.filter, tt.limit)
					if err != nil || n != min(len(page.Records), tt.limit) || exact != tt.exact {
						t.Errorf("Count(%+v, %d) = %d, %t, %v; %d are listed", tt.filter, tt.limit, n, exact, err, len(page.Records))
					}
				}
			})
		})
	}
}

// end cancels a task, so that the manager can stop.
func end(t *testing.T, m *taskflow.Manager, h taskflow.Handle) {
	t.Helper()
	if _, err := m.Cancel(t.Context(), h.ID(), ""); err != nil {
		t.Error(err)
	}
}

func TestDeleteRecordsLeavesWhatIsNotFinished(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memory.New()
		m := started(t, taskflow.WithBackend(b))
		old, other := add(m, func() {}), add(m, func() {})
		<-old.Done()
		<-other.Done()
		time.Sleep(time.Second)
		live := add(m, untilCancelled)
		defer end(t, m, live)
		fresh := add(m, func() {})
		<-fresh.Done() // and not stored yet
		ids := []string{old.ID(), old.ID(), live.ID(), fresh.ID(), taskflow.NewID(time.Now()), "nonsense"}
		got, err := m.DeleteRecords(t.Context(), ids)
		if want := (taskflow.Deletion{Deleted: 1, Unfinished: 2}); err != nil || got != want {
			t.Errorf("DeleteRecords gives %+v, %v; want %+v", got, err, want)
		}
		time.Sleep(time.Second)
		page, err := m.List(t.Context(), taskflow.Query{})
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, r := range page.Records {
			left = append(left, r.ID)
		}
		if want := []string{fresh.ID(), live.ID(), other.ID()}; !slices.Equal(left, want) {
			t.Errorf("left are %v, want %v", left, want)
		}
		if got, err := m.DeleteRecords(t.Context(), []string{fresh.ID()}); err != nil || got.Deleted != 1 {
			t.Errorf("once it is stored: %+v, %v", got, err)
		}
	})
}

func TestDeleteRecordsNeedsABackendThatCan(t *testing.T) {
	t.Parallel()
	m := started(t, taskflow.WithBackend(newSix()))
	h := add(m, func() {})
	<-h.Done()
	_, err := m.DeleteRecords(t.Context(), []string{h.ID()})
	wantErr(t, err, taskflow.ErrNotSupported)
	if m.Capable(taskflow.CapabilityDeleteRecords) {
		t.Error("the manager says that it can")
	}
	if _, err := m.Get(t.Context(), h.ID()); err != nil {
		t.Errorf("it is gone from memory: %v", err)
	}
}
