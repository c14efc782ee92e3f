package dashboard

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"
	"unicode/utf8"
)

const (
	maxBody     = 1 << 20          // a request's JSON
	bodyTimeout = 10 * time.Second // for a client to send its body
)

// readBody reads a body of the given type and at most limit bytes, from a client that may be slow but not endlessly so.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request, contentType string, limit int64) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != contentType {
		return nil, refuse(http.StatusUnsupportedMediaType, "the Content-Type must be %s, not %q", contentType, clip(r.Header.Get("Content-Type"), 80))
	}
	tooLarge := refuse(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", limit)
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	rc := http.NewResponseController(w)
	if err := rc.SetReadDeadline(time.Now().Add(bodyTimeout)); err == nil {
		defer func() {
			// the connection serves more requests; a failure here means that it is gone, which the next read finds
			if err := rc.SetReadDeadline(time.Time{}); err != nil {
				h.m.Logger().Debug("dashboard: lift the read deadline", "error", err)
			}
		}()
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, tooLarge
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the body could not be read: it ended early or came too slowly")
	}
	return body, nil
}

// readJSON decodes a JSON body into v. What is not JSON is a 400; JSON of another shape is a 422.
func (h *Handler) readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	return h.decode(w, r, v, false)
}

// readKnown is readJSON that refuses members it does not know: where many tasks are changed, a misspelt filter must not count as none.
func (h *Handler) readKnown(w http.ResponseWriter, r *http.Request, v any) error {
	return h.decode(w, r, v, true)
}

func (h *Handler) decode(w http.ResponseWriter, r *http.Request, v any, known bool) error {
	body, err := h.readBody(w, r, "application/json", maxBody)
	if err != nil {
		return err
	}
	if !utf8.Valid(body) {
		return refuse(http.StatusBadRequest, "the body is not valid UTF-8")
	}
	if !json.Valid(bytes.TrimSpace(body)) {
		return refuse(http.StatusBadRequest, "the body is not valid JSON")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if known {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(v); err != nil {
		return refuse(http.StatusUnprocessableEntity, "the body has another shape than expected: %s", clip(err.Error(), 200))
	}
	return nil
}
