package dashboard

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const (
	keptOperations    = 50 // that are shown, the newest
	runningOperations = 8  // at once
)

// operations are those of one handler. Their goroutines run alongside the manager, whose stop ends them and waits for them: so does close.
// Otherwise they end by themselves, or when somebody stops them. Safe for concurrent use.
type operations struct {
	wg sync.WaitGroup

	mu    sync.Mutex
	list  []*operation // oldest first
	ended bool
}

// start begins an operation, unless there are too many.
func (os *operations) start(o *operation) error {
	os.mu.Lock()
	defer os.mu.Unlock()
	if os.ended {
		return errLeaving()
	}
	running := 0
	for _, other := range os.list {
		if other.snapshot().State == stateRunning {
			running++
		}
	}
	if running >= runningOperations {
		return refuse(http.StatusConflict, "%d operations are running, which is the limit; wait for one, or stop it", running)
	}
	ctx, stop := context.WithCancelCause(context.Background())
	o.stop = stop
	os.wg.Add(1)
	err := o.h.m.Alongside(func(manager context.Context) { // close waits for it, too
		defer os.wg.Done()
		defer context.AfterFunc(manager, func() { stop(errShutdown) })()
		defer stop(nil)
		o.run(ctx)
	})
	if err != nil {
		stop(nil)
		os.wg.Done()
		return errLeaving()
	}
	os.list = append(os.list, o)
	for i := 0; len(os.list) > keptOperations && i < len(os.list); {
		if os.list[i].snapshot().State == stateRunning {
			i++
		} else {
			os.list = slices.Delete(os.list, i, i+1)
		}
	}
	return nil
}

func errLeaving() error {
	return refuse(http.StatusServiceUnavailable, "the server is shutting down").after(5 * time.Second)
}

func (os *operations) find(id string) *operation {
	os.mu.Lock()
	defer os.mu.Unlock()
	for _, o := range os.list {
		if o.state.ID == id { // never changes
			return o
		}
	}
	return nil
}

func (os *operations) all() []operationState {
	os.mu.Lock()
	defer os.mu.Unlock()
	all := make([]operationState, 0, len(os.list))
	for _, o := range slices.Backward(os.list) {
		all = append(all, o.snapshot())
	}
	return all
}

// close stops all and waits for them.
func (os *operations) close() {
	os.mu.Lock()
	os.ended = true
	for _, o := range os.list {
		o.stop(errShutdown)
	}
	os.mu.Unlock()
	os.wg.Wait()
}

// listOperations answers GET /operations: the latest of this instance, newest first.
func (h *Handler) listOperations(w http.ResponseWriter, r *http.Request) error {
	return h.answer(w, r, h.operations.all())
}

func (h *Handler) operationOf(r *http.Request) (*operation, error) {
	o := h.operations.find(r.PathValue("id"))
	if o == nil {
		return nil, refuse(http.StatusNotFound, "this instance has no operation %q; it keeps the latest %d, in memory", clip(r.PathValue("id"), 64), keptOperations)
	}
	return o, nil
}

// operation answers GET /operations/{id}.
func (h *Handler) operation(w http.ResponseWriter, r *http.Request) error {
	o, err := h.operationOf(r)
	if err != nil {
		return err
	}
	return h.answer(w, r, o.snapshot())
}

// stopOperation answers POST /operations/{id}/stop. What was done stays done; one that has ended stays as it is.
func (h *Handler) stopOperation(w http.ResponseWriter, r *http.Request) error {
	o, err := h.operationOf(r)
	if err != nil {
		return err
	}
	if o.snapshot().State == stateRunning {
		o.stop(errStoppedByUser)
		h.record(r, taskflow.AuditEntry{Action: "operation_stop", Detail: map[string]any{"operation_id": o.snapshot().ID}})
	}
	return h.answer(w, r, o.snapshot())
}
