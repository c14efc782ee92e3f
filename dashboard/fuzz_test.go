package dashboard

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Whatever a client writes after the question mark is either understood within the bounds or refused with a problem.
func FuzzListParameters(f *testing.F) {
	for _, seed := range []string{
		"limit=10&cursor=01890a5d-ac96-774b-bcce-b302099a8057", "since=6h&until=2026-11-23T19:00:00Z", "since=999999999d", "since=1h%0a",
		"status=failed,success&status=pending", "tag=user:7&tag=a", "include=logs,args", "q=%00%ff&source=manual", "limit=-1", "limit=1e9", "limit=٣",
		"priority=+5&instance=x", "failure_group=0123456789abcdef&status=failed", "source=a,b&source=c",
	} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 23, 19, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, raw string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL = &url.URL{Path: "/", RawQuery: raw}
		p, err := parseParams(r)
		if err != nil {
			return
		}
		sel, q, _, err := p.query(now)
		if err != nil {
			return
		}
		if q.Limit < 1 || q.Limit > taskflow.MaxLimit || q.Before != "" && !taskflow.ValidID(q.Before) {
			t.Errorf("%q became %+v", raw, q)
		}
		for _, at := range []time.Time{sel.Since, sel.Until} {
			if !at.IsZero() && (at.Year() < 1970 || at.Year() > 9999) {
				t.Errorf("%q asks for the year %d", raw, at.Year())
			}
		}
	})
}

// Whatever a client wants done to many tasks is either understood within the bounds or refused with a problem.
func FuzzBulkRequests(f *testing.F) {
	for _, seed := range []string{
		`{"action":"retry","task_ids":["a","a","b"]}`, `{"action":"delete","filter":{"status":["failed","pending"],"priority":-3}}`,
		`{"action":"cancel","filter":{"tag":["a:b"],"since":"6h","source":["x","y"],"failure_group":"0123456789abcdef"},"dry_run":true}`,
		`{"action":"retry","filter":{},"spread_seconds":1e9}`, `{"action":"retry","filter":{"q":"\u0000"}}`, `{"action":"retry","filter":{"status":[""]}}`,
	} {
		f.Add(seed)
	}
	m, err := taskflow.New()
	if err != nil {
		f.Fatal(err)
	}
	h, err := New(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var body bulkRequest
		if json.Unmarshal([]byte(text), &body) != nil {
			return
		}
		given := len(body.IDs)
		a, of, duplicates, err := h.bulkTargets(&body)
		if err != nil {
			if _, ok := errors.AsType[*problem](err); !ok {
				t.Errorf("%s: %v is no problem", text, err)
			}
			return
		}
		if of.sel == nil && (len(of.ids)+duplicates != given || given > maxBulk) {
			t.Errorf("%s: %d ids and %d duplicates of %d", text, len(of.ids), duplicates, given)
		}
		if of.sel != nil && (len(of.sel.Statuses) == 0 || slices.ContainsFunc(of.sel.Statuses, func(s taskflow.Status) bool {
			return s.Valid() && !slices.Contains(a.statuses, s)
		})) {
			t.Errorf("%s: %s is for tasks that are %v", text, a.name, of.sel.Statuses)
		}
		if body.Spread < 0 || body.Spread > maxSpread.Seconds() {
			t.Errorf("%s: spread over %v", text, body.Spread)
		}
	})
}
