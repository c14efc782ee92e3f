package taskflow

import (
	"slices"
	"strings"
	"time"
)

// Match reports whether r is selected by f. Backends may use it; those with indexes must agree with it.
func (f *Filter) Match(r *Record) bool {
	return f.match(r.Status, r.Name, r.Source, r.CreatedAt, r.Tags, r.Error, func() string { return r.ID })
}

// match takes what Match reads of a record one by one: a job that runs has no record yet, and its id as text costs.
func (f *Filter) match(
	status Status, name, source string, created time.Time, tags map[string]string, errText string, id func() string,
) bool {
	switch {
	case len(f.Statuses) > 0 && !slices.Contains(f.Statuses, status),
		f.Name != "" && f.Name != name,
		f.Source != "" && f.Source != source,
		!f.Since.IsZero() && created.Before(f.Since),
		!f.Until.IsZero() && !created.Before(f.Until):
		return false
	}
	for key, want := range f.Tags {
		if value, ok := tags[key]; !ok || want != "" && value != want {
			return false
		}
	}
	return f.Text == "" || textMatch(f.Text, name, errText, tags, id)
}

func textMatch(text, name, errText string, tags map[string]string, id func() string) bool {
	text = asciiLower(text)
	if strings.Contains(asciiLower(name), text) || errText != "" && strings.Contains(asciiLower(errText), text) {
		return true
	}
	for _, value := range tags {
		if strings.Contains(asciiLower(value), text) {
			return true
		}
	}
	return strings.Trim(text, "0123456789abcdef-") == "" && strings.HasPrefix(id(), text)
}

// asciiLower folds ASCII letters only, which every backend can do alike.
func asciiLower(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if c := b[i]; c >= 'A' && c <= 'Z' {
					b[i] = c + 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
