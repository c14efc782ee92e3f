package dashboard

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
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
		return refuse(http.StatusUnprocessableEntity, "the body has another shape than expected: %s", clip(shapeError(err), 200))
	}
	return nil
}

// shapeError says in the client's terms what is wrong with JSON that was not expected; encoding/json names types of Go.
func shapeError(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		kind, _, _ := strings.Cut(e.Value, " ") // "number 1.5"
		return fmt.Sprintf("%s is %s; %s is wanted", cmp.Or(e.Field, "it"), jsonKind(kind), wanted(e.Type))
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	if strings.HasPrefix(text, "invalid number literal") {
		return "a text stands where a number is wanted"
	}
	return strings.Replace(text, "unknown field", "unknown member", 1)
}

func jsonKind(s string) string {
	switch s {
	case "string":
		return "a text"
	case "number":
		return "a number"
	case "bool":
		return "true or false"
	case "array":
		return "a list"
	default:
		return "an object"
	}
}

func wanted(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[json.Number](), t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() == reflect.String:
		return "a text"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return "a list of texts"
	default:
		return "an object"
	}
}

// texts is a list of texts; one text stands for a list of it.
type texts []string

// UnmarshalJSON implements [json.Unmarshaler].
func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if data[0] == '"' {
		if err := json.Unmarshal(data, &one); err != nil {
			return err
		}
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}
