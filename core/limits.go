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
	MaxTags        = 32        // tags of one task; with one more it is refused (ErrInvalidOption)
	MaxTagBytes    = 200       // a tag's key, and a tag's value
	MaxLogLine     = 8 << 10   // one log line
	MaxLogLines    = 1000      // lines of one task's log: the first 100 and the last 900 are kept
	MaxLogBytes    = 256 << 10 // one task's log
	MaxReasonBytes = 1 << 10   // a reason given to Cancel
	MaxKeyBytes    = 200       // an idempotency key; a longer one is refused (ErrInvalidOption)
)

// cutMark ends a text that was cut.
const cutMark = " …[truncated]"

// clip returns s as valid UTF-8 without NUL (which PostgreSQL cannot store) and at most limit bytes long, a cut being marked;
// limit must have room for the mark.
func clip(s string, limit int) string {
	cut := len(s) > limit+utf8.UTFMax
	if cut { // the rest of a huge text need not even be cleaned
		s = firstBytes(s, limit+utf8.UTFMax)
	}
	// clean before the last cut: a replacement is longer than the byte that it replaces
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	if cut || len(s) > limit {
		s = firstBytes(s, limit-len(cutMark)) + cutMark
	}
	return s
}

// firstBytes returns at most n bytes of s, without the beginning of a character that would be cut in two.
func firstBytes(s string, n int) string {
	n = max(n, 0)
	if len(s) <= n {
		return s
	}
	for i := n; i > max(n-utf8.UTFMax, 0); i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i]
		}
	}
	return s[:n]
}
