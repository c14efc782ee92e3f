package dashboard

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const incomplete = "the export is incomplete: the storage failed, or the session ended"

// exporter writes records in one of the formats.
type exporter interface {
	begin(w io.Writer) error
	record(w io.Writer, r *taskflow.Record) error
	end(w io.Writer) error
	broken(w io.Writer) error // in place of end, when not everything is there
}

// export answers GET /export with every selected task, newest first, in a file. It is written as it is read, page by page: its length bounds
// neither memory nor time.
func (h *Handler) export(w http.ResponseWriter, r *http.Request) error {
	p, err := parseParams(r)
	if err != nil {
		return err
	}
	format, err := p.one("format")
	if err != nil {
		return err
	}
	var e exporter
	var contentType string
	switch format {
	case "csv":
		e, contentType = &csvExport{}, "text/csv; charset=utf-8"
	case "json":
		e, contentType = &jsonExport{}, "application/json"
	case "ndjson":
		e, contentType = ndjsonExport{}, "application/x-ndjson"
	default:
		return refuse(http.StatusBadRequest, "format=%q is not possible; give csv, json or ndjson", clip(format, 40))
	}
	now := time.Now()
	s, err := p.selection(now)
	if err != nil {
		return err
	}
	end, err := h.exports.begin(clientOf(r))
	if err != nil {
		return err
	}
	defer end()
	q := taskflow.Query{Filter: s.Filter, Limit: maxLimit}
	page, err := h.listPage(r.Context(), q) // before the head: an error is still an answer
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", `attachment; filename="tasks-`+now.UTC().Format("20060102-150405")+"."+format+`"`)
	out := &streamWriter{w: w, rc: http.NewResponseController(w), timeout: h.cfg.writeTimeout}
	defer out.deadline()
	out.deadline()
	w.WriteHeader(http.StatusOK)
	if err := h.exportPages(r, out, e, &s, q, page); err != nil {
		h.m.Logger().Warn("dashboard: an export was not finished", "remote", r.RemoteAddr, "error", err)
	}
	return nil
}

// exportPages writes page, and those that follow it.
func (h *Handler) exportPages(r *http.Request, out *streamWriter, e exporter, s *selection, q taskflow.Query, page taskflow.Page) error {
	var b bytes.Buffer
	err := e.begin(&b)
	for err == nil {
		if err = exportPage(out, e, s, &b, page.Records); err != nil || page.Next == "" {
			break
		}
		if err = out.send(&b); err == nil {
			q.Before = page.Next
			page, err = h.nextExported(r, q)
		}
	}
	if err == nil {
		if err = e.end(&b); err == nil {
			return out.send(&b)
		}
	}
	if out.failed || r.Context().Err() != nil {
		return err
	}
	return errors.Join(err, e.broken(&b), out.send(&b))
}

// exportPage writes what is selected of a page's records. The last of it is still in b.
func exportPage(out *streamWriter, e exporter, s *selection, b *bytes.Buffer, records []taskflow.Record) error {
	for i := range records {
		if !s.selects(&records[i]) {
			continue
		}
		rec := include{}.show(&records[i])
		if err := e.record(b, &rec); err != nil {
			return err
		}
		if b.Len() >= exportChunk {
			if err := out.send(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// nextExported reads the next page for as long as the session lasts and the server does not stop.
func (h *Handler) nextExported(r *http.Request, q taskflow.Query) (taskflow.Page, error) {
	if s := sessionOf(r); s != nil && !h.auth.sessions.valid(s) {
		return taskflow.Page{}, fmt.Errorf("the session of %s is over", s.User)
	}
	if isClosed(h.m.Draining()) {
		return taskflow.Page{}, context.Canceled
	}
	return h.listPage(r.Context(), q)
}

// send writes and flushes what b has, and empties it. A writer that cannot flush sends by itself, later.
func (s *streamWriter) send(b *bytes.Buffer) error {
	s.deadline()
	_, err := b.WriteTo(s.w)
	if err == nil && canFlush(s.w) {
		err = s.rc.Flush()
	}
	if err != nil {
		s.failed = true
		return fmt.Errorf("send the export: %w", err)
	}
	return nil
}

// jsonExport is one array. A broken one is never closed, so that nobody takes it for whole.
type jsonExport struct{ more bool }

func (e *jsonExport) begin(w io.Writer) error { _, err := io.WriteString(w, "["); return err }
func (e *jsonExport) end(w io.Writer) error   { _, err := io.WriteString(w, "]\n"); return err }
func (e *jsonExport) broken(io.Writer) error  { return nil }

func (e *jsonExport) record(w io.Writer, r *taskflow.Record) error {
	between := ",\n"
	if !e.more {
		between = "\n"
	}
	e.more = true
	return writeRecord(w, between, r, "")
}

// ndjsonExport is one object a line. A broken one ends with an object that has an error and no task.
type ndjsonExport struct{}

func (ndjsonExport) begin(io.Writer) error { return nil }
func (ndjsonExport) end(io.Writer) error   { return nil }

func (ndjsonExport) record(w io.Writer, r *taskflow.Record) error { return writeRecord(w, "", r, "\n") }

func (ndjsonExport) broken(w io.Writer) error {
	_, err := fmt.Fprintf(w, "{\"error\":%q}\n", incomplete)
	return err
}

func writeRecord(w io.Writer, before string, r *taskflow.Record, after string) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode task %s: %w", r.ID, err)
	}
	_, err = fmt.Fprintf(w, "%s%s%s", before, b, after)
	return err
}

// csvExport has a line of names first. A broken one ends with a line that says so.
type csvExport struct{ to *csv.Writer }

func csvColumns() []string {
	return []string{"task_id", "func_name", "status", "created_at", "run_at", "start_time", "end_time", "duration", "attempts", "max_retries", "error",
		"source", "priority", "executor", "owner", "retry_of", "retried_by", "idempotency_key", "tags"}
}

func (e *csvExport) begin(w io.Writer) error {
	e.to = csv.NewWriter(w)
	return e.write(csvColumns())
}

func (e *csvExport) end(io.Writer) error    { return nil }
func (e *csvExport) broken(io.Writer) error { return e.write([]string{"error: " + incomplete}) }

func (e *csvExport) record(_ io.Writer, r *taskflow.Record) error {
	tags := ""
	if len(r.Tags) > 0 {
		b, err := json.Marshal(r.Tags)
		if err != nil {
			return fmt.Errorf("encode the tags of %s: %w", r.ID, err)
		}
		tags = string(b)
	}
	duration := ""
	if d := r.Duration(); d > 0 {
		duration = strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
	}
	return e.write([]string{
		harmless(r.ID), harmless(r.Name), harmless(string(r.Status)), csvTime(r.CreatedAt), csvTime(r.RunAt), csvTime(r.StartTime), csvTime(r.EndTime), duration,
		strconv.Itoa(r.Attempts), strconv.Itoa(r.MaxRetries), harmless(r.Error), harmless(r.Source), strconv.Itoa(r.Priority), harmless(r.Pool),
		harmless(r.Owner), harmless(r.RetryOf), harmless(r.RetriedBy), harmless(r.Key), harmless(tags),
	})
}

func csvTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// harmless keeps spreadsheets from taking a text for a formula; those of East Asia take wide signs for it, too.
func harmless(s string) string {
	if first, _ := utf8.DecodeRuneInString(s); s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + s
	}
	return s
}

func (e *csvExport) write(cells []string) error {
	if err := e.to.Write(cells); err != nil {
		return fmt.Errorf("write a line of the export: %w", err)
	}
	e.to.Flush()
	return e.to.Error()
}
