package taskflow_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func TestListElsewhereHasWhatThisInstanceHasNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		here, _ := c.instance()
		if shared, err := here.Shared(t.Context()); err != nil || shared {
			t.Errorf("alone: shared %t, %v", shared, err)
		}
		there, _ := c.instance()
		time.Sleep(20 * time.Second) // each has met the other
		if shared, err := here.Shared(t.Context()); err != nil || !shared {
			t.Errorf("with another: shared %t, %v", shared, err)
		}
		ended, own := add(there, func() {}), add(here, func() {})
		<-ended.Done()
		<-own.Done()
		live, ownLive := add(there, untilCancelled), add(here, untilCancelled)
		time.Sleep(20 * time.Second)
		for _, tt := range []struct {
			statuses []taskflow.Status
			want     []string
		}{
			{nil, []string{live.ID(), ended.ID()}},
			{[]taskflow.Status{taskflow.StatusRunning}, []string{live.ID()}},
			{[]taskflow.Status{taskflow.StatusSuccess}, []string{ended.ID()}},
		} {
			page, err := here.ListElsewhere(t.Context(), taskflow.Query{Filter: taskflow.Filter{Statuses: tt.statuses}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range page.Records {
				got = append(got, r.ID)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%v: %v, want %v", tt.statuses, got, tt.want)
			}
		}
		end(t, there, live)
		end(t, here, ownLive)
	})
	alone := started(t)
	<-add(alone, func() {}).Done()
	if page, err := alone.ListElsewhere(t.Context(), taskflow.Query{}); err != nil || len(page.Records) != 0 {
		t.Errorf("without a backend: %v, %v", page.Records, err)
	}
}
