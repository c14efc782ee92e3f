package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// maxListBytes ends a page early: a hundred records with logs and arguments may be more than a hundred megabytes.
const maxListBytes = 8 << 20

// list answers GET / with a page of tasks, newest first. A browser is sent to the page instead.
func (h *Handler) list(w http.ResponseWriter, r *http.Request) error {
	w.Header().Add("Vary", "Accept")
	if prefersHTML(r.Header.Get("Accept")) {
		redirect(w, pageFromRoot(r), "", http.StatusSeeOther)
		return nil
	}
	p, err := parseParams(r)
	if err == nil {
		err = p.only(append(selectionParams(), "limit", "cursor", "sort", "include")...)
	}
	if err != nil {
		return err
	}
	s, q, in, err := p.query(time.Now())
	if err != nil {
		return err
	}
	by, err := p.sort()
	if err != nil {
		return err
	}
	find := h.find
	if by != nil {
		find = by.find(h)
	}
	page, err := find(r.Context(), &s, q)
	if err != nil {
		return fmt.Errorf("list tasks: %w", err)
	}
	body := bytes.NewBufferString("[")
	for i := range page.Records {
		rec, err := json.Marshal(in.show(&page.Records[i]))
		if err != nil {
			return fmt.Errorf("encode task %s: %w", page.Records[i].ID, err)
		}
		if i > 0 {
			if body.Len()+len(rec) > maxListBytes {
				page.Next = page.Records[i-1].ID
				break
			}
			body.WriteByte(',')
		}
		body.Write(rec)
	}
	body.WriteByte(']')
	p.linkNext(w, page.Next)
	h.send(w, r, http.StatusOK, "application/json", body.Bytes())
	return nil
}

// linkNext sets the Link header to the same query after the cursor; it is relative, and consists of the query only, so
// that it is right under any prefix.
func (p params) linkNext(w http.ResponseWriter, cursor string) {
	if cursor == "" {
		return
	}
	v := url.Values{}
	maps.Copy(v, p)
	v["cursor"] = []string{cursor}
	w.Header().Set("Link", "<?"+v.Encode()+`>; rel="next"`)
}

// task answers GET /{id}: with log and stack, which is what one task is opened for; with its arguments only when asked to.
func (h *Handler) task(w http.ResponseWriter, r *http.Request) error {
	p, err := parseParams(r)
	if err != nil {
		return err
	}
	in, err := p.include()
	if err != nil {
		return err
	}
	rec, err := h.m.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return fmt.Errorf("get the task: %w", err)
	}
	in.logs, in.stack = true, true
	rec.AttemptLog = rec.Attempted()
	return h.answer(w, r, in.show(&rec))
}

// show is the record as it is given out: without what was not asked for.
func (in include) show(rec *taskflow.Record) taskflow.Record {
	out := *rec
	if !in.logs {
		out.Logs = nil
	}
	if !in.stack {
		out.Stack = ""
	}
	// a backend that somebody else writes to may hold anything; one bad row must not fail the whole list
	if !in.args || !json.Valid(out.Args) {
		out.Args = nil
	}
	if !json.Valid(out.Result) {
		out.Result = nil
	}
	return out
}

// prefersHTML reports whether an Accept header ranks text/html above JSON, as the one of a browser's address bar does.
func prefersHTML(accept string) bool {
	var html, other float64
	for part := range strings.SplitSeq(accept, ",") {
		kind, rest, _ := strings.Cut(part, ";")
		q := 1.0
		for param := range strings.SplitSeq(rest, ";") {
			if name, value, _ := strings.Cut(strings.TrimSpace(param), "="); strings.EqualFold(name, "q") {
				if f, err := strconv.ParseFloat(value, 64); err == nil {
					q = f
				}
			}
		}
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "text/html", "application/xhtml+xml":
			html = max(html, q)
		case "application/json", "application/*", "*/*":
			other = max(other, q)
		}
	}
	return html > other
}

// pageFromRoot is the page's address relative to the mount's. The browser may be at /tasks or at /tasks/, which the stripped
// path does not tell; what the client sent does.
func pageFromRoot(r *http.Request) string {
	sent, _, _ := strings.Cut(r.RequestURI, "?")
	if sent == "" || strings.HasSuffix(sent, "/") {
		return "dashboard"
	}
	return "./" + path.Base(sent) + "/dashboard"
}
