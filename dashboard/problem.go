package dashboard

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// problem is an RFC 9457 problem document, and the error that an endpoint returns to answer with it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Role   string `json:"role,omitempty"` // of the one who was refused because of it

	retryAfter time.Duration // sent as a header when above 0
}

func (p *problem) Error() string { return p.Detail }

func refuse(status int, format string, args ...any) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}

func (p *problem) after(d time.Duration) *problem {
	p.retryAfter = d
	return p
}

func (p *problem) setRetryAfter(h http.Header) {
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(seconds(p.retryAfter)))
	}
}

// problemOf says what the client is told about err; nil when err is none of its business.
func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	for _, known := range []struct {
		err    error
		status int
		after  time.Duration
	}{
		{taskflow.ErrNotFound, http.StatusNotFound, 0},
		{taskflow.ErrScheduleNotFound, http.StatusNotFound, 0},
		{taskflow.ErrNotRetryable, http.StatusBadRequest, 0},
		{taskflow.ErrNotCancellable, http.StatusBadRequest, 0},
		{taskflow.ErrNotRegistered, http.StatusConflict, 0},
		{taskflow.ErrHeldElsewhere, http.StatusConflict, 0},
		{taskflow.ErrScheduleBusy, http.StatusConflict, 0},
		{taskflow.ErrQueueFull, http.StatusServiceUnavailable, 5 * time.Second},
		{taskflow.ErrStopped, http.StatusServiceUnavailable, 5 * time.Second},
		{taskflow.ErrNotSupported, http.StatusNotImplemented, 0},
	} {
		if errors.Is(err, known.err) {
			return refuse(known.status, "%s", withoutLayers(err, known.err)).after(known.after)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return refuse(http.StatusServiceUnavailable, "this took longer than %v and was given up; ask for less", requestTimeout).after(10 * time.Second)
	}
	return nil
}

// about makes a refusal name the task or schedule that the path names.
func about(name string, err error) error {
	p := (*problem)(nil)
	if _, told := errors.AsType[*problem](err); name != "" && err != nil && !told {
		p = problemOf(err)
	}
	if p == nil || p.Status >= http.StatusInternalServerError || strings.Contains(p.Detail, name) {
		return err
	}
	if name = clip(name, 64); strings.Contains(p.Detail, ": ") {
		p.Detail = name + ": " + p.Detail
	} else {
		p.Detail += ": " + name
	}
	return p
}

// withoutLayers is what err says from the words of the known error on. What comes before is through which functions it went, and maybe the name of a
// file: for those who read the code, not for the client.
func withoutLayers(err, known error) string {
	if errors.Is(known, taskflow.ErrStopped) {
		return "the task manager is not running"
	}
	text := err.Error()
	if at := strings.LastIndex(text, known.Error()); at >= 0 {
		text = text[at:]
	}
	return strings.TrimPrefix(text, "taskflow: ")
}

// fail answers with err, which must come before anything was written.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p == nil {
		if r.Context().Err() != nil {
			return // the client has gone
		}
		p = h.storageProblem(err)
	}
	if p == nil {
		// Texts of a backend may name hosts and users: they are for the log only.
		h.m.Logger().Error("dashboard: request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		p = refuse(http.StatusInternalServerError, "something failed here; the server's log says what")
	}
	p.setRetryAfter(w.Header())
	h.respond(w, r, p.Status, "application/problem+json", p)
}

// storageProblem is what the client is told when the storage is away, which is nobody's mistake; nil when err has another reason.
func (h *Handler) storageProblem(err error) *problem {
	_, network := errors.AsType[net.Error](err)
	since := h.m.DegradedSince()
	switch {
	case !since.IsZero():
		h.m.Logger().Warn("dashboard: request failed while the storage fails", "error", err)
		return refuse(http.StatusServiceUnavailable, "the storage has failed since %s; try again later, the server's log says why",
			since.UTC().Format(time.RFC3339)).after(5 * time.Second)
	case network, errors.Is(err, taskflow.ErrUnavailable), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, driver.ErrBadConn):
		h.m.Logger().Warn("dashboard: the storage cannot be reached", "error", err)
		return refuse(http.StatusServiceUnavailable, "the storage cannot be reached; try again later, the server's log says why").after(5 * time.Second)
	}
	return nil
}

// answer sends v as JSON.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, v any) error {
	h.respond(w, r, http.StatusOK, "application/json", v)
	return nil
}

func (h *Handler) respond(w http.ResponseWriter, r *http.Request, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		h.m.Logger().Error("dashboard: encode an answer", "path", r.URL.Path, "error", err)
		status, contentType = http.StatusInternalServerError, "application/problem+json"
		body = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"the answer cannot be encoded"}`)
	}
	h.send(w, r, status, contentType, body)
}

func (h *Handler) send(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		h.m.Logger().Debug("dashboard: client left during the answer", "path", r.URL.Path, "error", err)
	}
}

// seconds rounds up, so that a client that waits as long as it is told to is late enough.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// clip returns s as valid UTF-8 of at most limit bytes.
func clip(s string, limit int) string {
	if len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
