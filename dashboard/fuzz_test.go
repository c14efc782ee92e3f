package dashboard

import (
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Whatever a client writes after the question mark is either understood within the bounds or refused with a problem.
func FuzzListParameters(f *testing.F) {
	for _, seed := range []string{
		"limit=10&cursor=01890a5d-ac96-774b-bcce-b302099a8057", "since=6h&until=2026-11-23T19:00:00Z", "since=999999999d", "since=1h%0a",
		"status=failed,success&status=pending", "tag=user:7&tag=a", "include=logs,args", "q=%00%ff&source=manual", "limit=-1", "limit=1e9", "limit=٣", "priority=+5&instance=x", "failure_group=0123456789abcdef&status=failed", "sort=-created_at",
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
