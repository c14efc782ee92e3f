package dashboard

import (
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
	maxFullLimit = 100 // records with their logs, stack or arguments
	maxText      = 200 // bytes of a text to search for
	maxTagTests  = 10
)

// params are the query parameters of a request. Its methods refuse what they cannot use with a 400 that names the parameter.
type params url.Values

func parseParams(r *http.Request) (params, error) {
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the query string cannot be read: %s", clip(err.Error(), 200))
	}
	return params(v), nil
}

// only refuses parameters other than the known ones: a misspelt filter must not count as none.
func (p params) only(known ...string) error {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		switch {
		case slices.Contains(known, name):
		case len(known) == 0:
			return refuse(http.StatusBadRequest, "unknown parameter %q; this path has none", clip(name, 40))
		default:
			return refuse(http.StatusBadRequest, "unknown parameter %q; possible: %s", clip(name, 40), strings.Join(known, ", "))
		}
	}
	return nil
}

// one is the value of a parameter that may be given once; empty when it is not given.
func (p params) one(name string) (string, error) {
	switch v := p[name]; {
	case len(v) == 0:
		return "", nil
	case len(v) > 1:
		return "", refuse(http.StatusBadRequest, "%s is given %d times; give it once", name, len(v))
	default:
		return v[0], checkText(name, v[0])
	}
}

// list are the values of a parameter that may be repeated, and hold several separated by commas.
func (p params) list(name string) ([]string, error) {
	var all []string
	for _, v := range p[name] {
		if err := checkText(name, v); err != nil {
			return nil, err
		}
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				all = append(all, part)
			}
		}
	}
	return all, nil
}

func checkText(name, s string) error {
	switch {
	case len(s) > maxText:
		return refuse(http.StatusBadRequest, "%s has %d bytes, the limit is %d", name, len(s), maxText)
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return refuse(http.StatusBadRequest, "%s is not valid UTF-8 text", name)
	}
	return nil
}

// limit is the number of entries asked for, clamped from 1 to most.
func (p params) limit(most int) (int, error) {
	s, err := p.one("limit")
	if err != nil || s == "" {
		return min(defaultLimit, most), err
	}
	digits := strings.TrimPrefix(s, "-")
	n, ok := number(digits)
	if !ok {
		return 0, refuse(http.StatusBadRequest, "limit=%q is not a number; give 1 to %d", s, most)
	}
	if digits != s {
		n = 1
	}
	return int(min(max(n, 1), int64(most))), nil
}

// cursor is the id of the last entry of the page before.
func (p params) cursor() (string, error) {
	s, err := p.one("cursor")
	if err == nil && s != "" && !taskflow.ValidID(s) {
		err = refuse(http.StatusBadRequest, "cursor=%q is not one that this API gave; follow the Link header, or leave it out", s)
	}
	return s, err
}

// moment is a point in time: RFC 3339, or so long ago. Zero when it is not given.
func (p params) moment(name string, now time.Time) (time.Time, error) {
	s, err := p.one(name)
	if err != nil || s == "" {
		return time.Time{}, err
	}
	if d, ok := parseAgo(s); ok {
		return now.Add(-d), nil
	}
	// the + of a zone that the client did not escape arrives as a space
	t, err := time.Parse(time.RFC3339, strings.ReplaceAll(s, " ", "+"))
	if err != nil {
		return time.Time{}, refuse(http.StatusBadRequest, "%s=%q is neither a time like 2026-01-31T12:00:00Z nor an age like 15m, 6h or 7d", name, s)
	}
	return clampTime(t.UTC()), nil
}

var (
	earliest = time.Unix(0, 0).UTC()
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// clampTime keeps a time in the range that an id can carry; nothing was added outside it.
func clampTime(t time.Time) time.Time {
	switch {
	case t.Before(earliest):
		return earliest
	case t.After(latest):
		return latest
	}
	return t
}

// maxAge is longer than any history.
const maxAge = 50 * 365 * 24 * time.Hour

// parseAgo reads an age like 90s, 15m, 6h, 7d or 2w; more than maxAge is maxAge.
func parseAgo(s string) (time.Duration, bool) {
	if len(s) < 2 {
		return 0, false
	}
	n, ok := number(s[:len(s)-1])
	if !ok {
		return 0, false
	}
	switch s[len(s)-1] {
	case 's':
		return age(n, time.Second), true
	case 'm':
		return age(n, time.Minute), true
	case 'h':
		return age(n, time.Hour), true
	case 'd':
		return age(n, 24*time.Hour), true
	case 'w':
		return age(n, 7*24*time.Hour), true
	}
	return 0, false
}

// age is n units, at most maxAge.
func age(n int64, unit time.Duration) time.Duration {
	if n > int64(maxAge/unit) {
		return maxAge
	}
	return time.Duration(n) * unit
}

// number reads ASCII digits; what is too large for an int64 is the largest one.
func number(s string) (n int64, ok bool) {
	if s == "" {
		return 0, false
	}
	for i := range len(s) {
		d := int64(s[i]) - '0'
		switch {
		case d < 0 || d > 9:
			return 0, false
		case n > (math.MaxInt64-d)/10:
			n = math.MaxInt64
		default:
			n = n*10 + d
		}
	}
	return n, true
}

// include says which large parts of a record are asked for.
type include struct{ logs, stack, args bool }

func (p params) include() (in include, err error) {
	parts, err := p.list("include")
	if err != nil {
		return in, err
	}
	for _, part := range parts {
		switch part {
		case "logs":
			in.logs = true
		case "stacktrace":
			in.stack = true
		case "args":
			in.args = true
		default:
			return in, refuse(http.StatusBadRequest, "include=%q is unknown; possible: logs, stacktrace, args", part)
		}
	}
	return in, nil
}

// query is the whole request for a page of the list.
func (p params) query(now time.Time) (s selection, q taskflow.Query, in include, err error) {
	if in, err = p.include(); err != nil {
		return s, q, in, err
	}
	q.Full = in != include{}
	most := maxLimit
	if q.Full {
		most = maxFullLimit
	}
	if q.Limit, err = p.limit(most); err != nil {
		return s, q, in, err
	}
	if q.Before, err = p.cursor(); err != nil {
		return s, q, in, err
	}
	s, err = p.selection(now)
	return s, q, in, err
}

func (p params) filter(now time.Time) (f taskflow.Filter, err error) {
	statuses, err := p.list("status")
	if err != nil {
		return f, err
	}
	if f.Statuses, err = parseStatuses(statuses); err != nil {
		return f, err
	}
	for name, to := range map[string]*string{"func_name": &f.Name, "q": &f.Text} {
		if *to, err = p.one(name); err != nil {
			return f, err
		}
	}
	for name, to := range map[string]*time.Time{"since": &f.Since, "until": &f.Until} {
		if *to, err = p.moment(name, now); err != nil {
			return f, err
		}
	}
	f.Tags, err = p.tags()
	return f, err
}

func parseStatuses(names []string) (all []taskflow.Status, err error) {
	for _, name := range names {
		s := taskflow.Status(name)
		if !s.Valid() {
			return nil, refuse(http.StatusBadRequest, "status=%q is unknown; possible: pending, running, success, failed, interrupted, cancelled", name)
		}
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all, nil
}

// tags reads key:value and key. A comma is not a separator here: values may contain one.
func (p params) tags() (map[string]string, error) {
	given := p["tag"]
	if len(given) == 0 {
		return nil, nil
	}
	if len(given) > maxTagTests {
		return nil, refuse(http.StatusBadRequest, "tag is given %d times; at most %d are possible", len(given), maxTagTests)
	}
	tags := make(map[string]string, len(given))
	for _, s := range given {
		if len(s) > 2*taskflow.MaxTagBytes+1 || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			return nil, refuse(http.StatusBadRequest, "tag=%q is too long or not valid UTF-8 text", clip(s, 40))
		}
		key, value, _ := strings.Cut(s, ":")
		if key == "" {
			return nil, refuse(http.StatusBadRequest, "tag=%q has no key; write key:value, or key", s)
		}
		if known, twice := tags[key]; twice && known != value {
			return nil, refuse(http.StatusBadRequest, "the tag %q is given with two values; no task has both", key)
		}
		tags[key] = value
	}
	return tags, nil
}

// flag is a parameter that is true or false; false when it is not given.
func (p params) flag(name string) (bool, error) {
	switch s, err := p.one(name); {
	case err != nil:
		return false, err
	case s == "" || s == "false":
		return false, nil
	case s == "true":
		return true, nil
	default:
		return false, refuse(http.StatusBadRequest, "%s=%q is not possible; give true or false", name, s)
	}
}
