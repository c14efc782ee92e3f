package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// addition is a task that a test wants added.
type addition struct {
	Task   string            `json:"task"` // empty: a plain function
	Args   script            `json:"args"`
	Tags   map[string]string `json:"tags"`
	Delay  float64           `json:"delay"` // seconds
	Key    string            `json:"key"`
	Pool   string            `json:"pool"`
	Submit bool              `json:"submit"` // durable
	Times  int               `json:"times"`  // how many of them; 0: one
}

// control takes the orders of tests. Each is answered when it has been carried out.
type control struct {
	m *taskflow.Manager
	w *work
	b *backend
	p *proxy
}

// orderTime is how long a test may wait for an order to be carried out.
const orderTime = 20 * time.Second

func newControl(m *taskflow.Manager, w *work, b *backend, p *proxy) http.Handler {
	c := &control{m: m, w: w, b: b, p: p}
	mux := http.NewServeMux()
	for path, serve := range map[string]func(context.Context, *json.Decoder) (any, error){
		"POST /add": c.add, "POST /tell": c.tell, "POST /storage": c.storage, "POST /proxy": c.proxy, "POST /streams": c.streams,
		"POST /flood": c.flood, "POST /burst": c.burst,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			answer, err := serve(r.Context(), json.NewDecoder(r.Body))
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(answer); err != nil {
				panic(http.ErrAbortHandler)
			}
		})
	}
	return mux
}

// add answers with the ids.
func (c *control) add(ctx context.Context, body *json.Decoder) (any, error) {
	var a addition
	if err := body.Decode(&a); err != nil {
		return nil, err
	}
	opts := []taskflow.AddOption{taskflow.Delay(time.Duration(a.Delay * float64(time.Second)))}
	for key, value := range a.Tags {
		opts = append(opts, taskflow.Tag(key, value))
	}
	if a.Key != "" {
		opts = append(opts, taskflow.IdempotencyKey(a.Key))
	}
	if a.Pool != "" {
		opts = append(opts, taskflow.Pool(a.Pool))
	}
	ids := make([]string, max(a.Times, 1))
	for i := range ids {
		h, err := c.one(ctx, a, opts)
		if err != nil {
			return nil, err
		}
		ids[i] = h.ID()
	}
	return map[string]any{"ids": ids}, nil
}

func (c *control) one(ctx context.Context, a addition, opts []taskflow.AddOption) (taskflow.Handle, error) {
	if a.Task == "" {
		h := c.m.Add(taskflow.WorkOf(func(ctx context.Context) error { return c.w.run(ctx, a.Args) }), opts...)
		return h, h.Rejected()
	}
	t, known := c.w.tasks[a.Task]
	if !known {
		return taskflow.Handle{}, fmt.Errorf("there is no task %q", a.Task)
	}
	if a.Submit {
		return c.m.Submit(ctx, t.With(a.Args), opts...)
	}
	h := c.m.Add(taskflow.WorkOf(t.With(a.Args)), opts...)
	return h, h.Rejected()
}

func (c *control) tell(ctx context.Context, body *json.Decoder) (any, error) {
	var t struct {
		command

		Gate string `json:"gate"`
	}
	if err := body.Decode(&t); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, orderTime)
	defer cancel()
	return struct{}{}, c.w.tell(ctx, t.Gate, t.command)
}

func (c *control) storage(_ context.Context, body *json.Decoder) (any, error) {
	var s struct {
		Away bool `json:"away"`
	}
	err := body.Decode(&s)
	c.b.off.Store(s.Away)
	return struct{}{}, err
}

func (c *control) proxy(_ context.Context, body *json.Decoder) (any, error) {
	var s struct {
		Drop   bool  `json:"drop"`
		Refuse *bool `json:"refuse"`
	}
	if err := body.Decode(&s); err != nil {
		return nil, err
	}
	if s.Refuse != nil {
		c.p.refuse(*s.Refuse)
	}
	if s.Drop {
		c.p.drop()
	}
	return struct{}{}, nil
}

func (c *control) streams(context.Context, *json.Decoder) (any, error) {
	return map[string]int64{"open": c.p.open.Load(), "opened": c.p.opened.Load()}, nil
}

// flood adds tasks at a rate for a while, and answers with how many it has added.
func (c *control) flood(ctx context.Context, body *json.Decoder) (any, error) {
	var f struct {
		Rate    int     `json:"rate"` // a second
		Seconds float64 `json:"seconds"`
	}
	if err := body.Decode(&f); err != nil {
		return nil, err
	}
	if f.Rate < 1 {
		return nil, errors.New("rate must be at least 1")
	}
	const ticks = 50 // a second
	tick := time.NewTicker(time.Second / ticks)
	defer tick.Stop()
	begun, added := time.Now(), 0
	for passed := 0.0; passed < f.Seconds; passed = time.Since(begun).Seconds() {
		for ; added < int(passed*float64(f.Rate)); added++ {
			c.m.Add(taskflow.WorkOf(c.w.tasks["send_email"].With(script{})), taskflow.Tag("order", fmt.Sprint(added)))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return map[string]any{"added": added, "seconds": time.Since(begun).Seconds()}, nil
}

// burst runs tasks as fast as it can, and answers with how long that took.
func (c *control) burst(ctx context.Context, body *json.Decoder) (any, error) {
	var b struct {
		Tasks int `json:"tasks"`
	}
	if err := body.Decode(&b); err != nil {
		return nil, err
	}
	begun := time.Now()
	handles := make([]taskflow.Handle, b.Tasks)
	for i := range handles {
		handles[i] = c.m.Add(taskflow.WorkOf(c.w.tasks["send_email"].With(script{})))
	}
	for _, h := range handles {
		if err := h.Wait(ctx); err != nil {
			return nil, err
		}
	}
	return map[string]any{"seconds": time.Since(begun).Seconds()}, nil
}
