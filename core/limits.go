package taskflow

import (
	"strings"
	"unicode/utf8"
)

// What a task may make the process and the backend keep. Longer texts are cut and the cut is marked; longer arguments are
// refused ([ErrArguments]), because a task cannot run with half of its arguments.
const (
	MaxNameBytes   = 200       // a task's name
	MaxArgsBytes   = 1 << 20   // a Call's arguments, as JSON
	MaxErrorBytes  = 8 << 10   // a record's error
	MaxStackBytes  = 32 << 10  // a record's stack trace
	MaxTags        = 32        // tags of one task; more are dropped, and the record's log says so
	MaxTagBytes    = 200       // a tag's key, and a tag's value
	MaxLogLine     = 8 << 10   // one log line
	MaxLogLines    = 1000      // lines of one task's log: the first 100 and the last 900 are kept
	MaxLogBytes    = 256 << 10 // one task's log
	MaxReasonBytes = 1 << 10   // a reason given to Cancel
)

// clip returns s as valid UTF-8 without NUL (which PostgreSQL cannot store) and at most limit bytes long, a cut being marked.
func clip(s string, limit int) string {
	const mark = " …[truncated]"
	if len(s) > limit {
		cut := max(limit-len(mark), 0)
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + mark
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return s
}
