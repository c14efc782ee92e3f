package dashboard

import (
	"fmt"
	"net/http"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// totals is the answer to GET /metrics.
type totals struct {
	Total       int64       `json:"total"`
	Pending     int64       `json:"pending"`
	Running     int64       `json:"running"`
	Success     int64       `json:"success"`
	Failed      int64       `json:"failed"`
	Interrupted int64       `json:"interrupted"`
	Cancelled   int64       `json:"cancelled"`
	SuccessRate float64     `json:"success_rate"` // of those that ended in success or failed, 0 to 1
	AvgDuration float64     `json:"avg_duration_seconds"`
	Percentiles percentiles `json:"percentiles"`
}

// percentiles are durations in seconds.
type percentiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

func (h *Handler) metrics(w http.ResponseWriter, r *http.Request) error {
	s, err := h.m.Stats(r.Context())
	if err != nil {
		return fmt.Errorf("read the totals: %w", err)
	}
	quantile := func(q float64) float64 { return s.Durations.Quantile(q).Seconds() }
	return h.answer(w, r, totals{
		Total:   s.Total(),
		Pending: s.Counts[taskflow.StatusPending], Running: s.Counts[taskflow.StatusRunning],
		Success: s.Counts[taskflow.StatusSuccess], Failed: s.Counts[taskflow.StatusFailed],
		Interrupted: s.Counts[taskflow.StatusInterrupted], Cancelled: s.Counts[taskflow.StatusCancelled],
		SuccessRate: s.SuccessRate(), AvgDuration: s.Durations.Mean().Seconds(),
		Percentiles: percentiles{quantile(0.5), quantile(0.9), quantile(0.95), quantile(0.99)},
	})
}

// function is a registered task and its policy. Durations are seconds, 0 is none.
type function struct {
	Name       string            `json:"func_name"`
	ArgType    string            `json:"arg_type"`
	Aliases    []string          `json:"aliases"`
	MaxRetries int               `json:"max_retries"`
	RetryRule  bool              `json:"retry_rule"` // code decides about retries, max_retries means nothing
	Timeout    float64           `json:"timeout_seconds"`
	Deadline   float64           `json:"deadline_seconds"`
	Priority   int               `json:"priority"`
	Pool       string            `json:"pool"`
	Requeue    bool              `json:"requeue"`
	Idempotent bool              `json:"idempotent"`
	Tags       map[string]string `json:"tags"`
	Registered bool              `json:"registered"`      // false: known from the counters only
	Stats      *functionStats    `json:"stats,omitempty"` // when since is given
}

// functions answers GET /functions, with what was counted of them if a window is given.
func (h *Handler) functions(w http.ResponseWriter, r *http.Request) error {
	p, err := parseParams(r)
	if err != nil {
		return err
	}
	all := []function{}
	for _, t := range h.m.Tasks() {
		f := function{
			Name: t.Name, ArgType: t.ArgType, Aliases: t.Aliases, MaxRetries: t.MaxRetries, RetryRule: t.RetryRule,
			Timeout: t.Timeout.Seconds(), Deadline: t.Deadline.Seconds(), Priority: t.Priority, Pool: t.Pool,
			Requeue: t.Requeue, Idempotent: t.Idempotent, Tags: t.Tags, Registered: true,
		}
		if f.Aliases == nil {
			f.Aliases = []string{}
		}
		if f.Tags == nil {
			f.Tags = map[string]string{}
		}
		all = append(all, f)
	}
	if p["since"] != nil || p["until"] != nil {
		if all, err = h.withStats(r, p, all); err != nil {
			return err
		}
	}
	return h.answer(w, r, all)
}

// instance is a running manager, as GET /instances shows it.
type instance struct {
	taskflow.Instance

	Self bool `json:"self"` // it is the one that answers
}

// instances answers GET /instances with all that share the backend.
func (h *Handler) instances(w http.ResponseWriter, r *http.Request) error {
	found, err := h.m.Instances(r.Context())
	if err != nil {
		return fmt.Errorf("read the instances: %w", err)
	}
	all := []instance{}
	for _, i := range found {
		i.Live = nil // these are in the listing
		all = append(all, instance{i, i.ID == h.m.Instance()})
	}
	return h.answer(w, r, all)
}
