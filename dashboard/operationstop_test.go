package dashboard_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// slowDeletion is a backend that takes its time to delete, and notes in which order it is used.
type slowDeletion struct {
	*memory.Backend

	takes time.Duration
	mu    sync.Mutex
	uses  []string
}

func (b *slowDeletion) note(use string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.uses = append(b.uses, use)
}

func (b *slowDeletion) Delete(ctx context.Context, ids []string) (int, error) {
	b.note("delete")
	select {
	case <-time.After(b.takes):
	case <-ctx.Done():
		b.note("given up")
		return 0, ctx.Err()
	}
	b.note("deleted")
	return b.Backend.Delete(ctx, ids)
}

func (b *slowDeletion) AppendAudit(ctx context.Context, e taskflow.AuditEntry) error {
	b.note(e.Action)
	return b.Backend.AppendAudit(ctx, e)
}

func (b *slowDeletion) Close() error {
	b.note("close")
	return b.Backend.Close()
}

// The manager's stop ends an operation's last step, writes down how it ended, and closes the backend then, although nobody closes the handler.
func TestTheManagersStopWaitsForOperations(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		takes, stop time.Duration
		want        []string
	}{
		"a step that ends":       {3 * time.Second, 2 * time.Second, []string{"operation_start", "delete", "deleted", "operation_end", "close"}},
		"a step that takes long": {time.Hour, 5 * time.Second, []string{"operation_start", "delete", "given up", "operation_end", "close"}},
		"a step that has ended":  {time.Millisecond, 0, []string{"operation_start", "delete", "deleted", "operation_end", "close"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				old := taskflow.NewID(time.Now().Add(-time.Hour))
				b := &slowDeletion{Backend: backendWith(t, old), takes: tt.takes}
				s := openWith(t, []taskflow.ManagerOption{taskflow.WithTasks(fail), taskflow.WithBackend(b)})
				s.begin(`{"action":"delete","task_ids":` + quoted(old) + `}`)
				time.Sleep(time.Second + time.Millisecond)
				begin := time.Now()
				if err := s.m.Stop(t.Context()); err != nil {
					t.Error(err)
				}
				if took := time.Since(begin).Round(10 * time.Millisecond); took != tt.stop {
					t.Errorf("Stop took %v, want %v", took, tt.stop)
				}
				b.mu.Lock()
				defer b.mu.Unlock()
				if !slices.Equal(b.uses, tt.want) {
					t.Errorf("the backend saw %v, want %v", b.uses, tt.want)
				}
			})
		})
	}
}
