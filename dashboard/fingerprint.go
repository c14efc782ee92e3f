package dashboard

import (
	"encoding/hex"
	"hash/fnv"
	"strings"
	"unicode/utf8"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const (
	groupDigits   = 16
	maxErrorShape = 400 // bytes of an error's first line that count
)

// processEnded is what core says of a task whose process died while it ran.
const processEnded = "the process ended while it ran"

// failureGroup is what failures of one kind have in common: 16 hexadecimal digits of the function's name and the shape of the error. Empty for what has
// not failed. It is stable: pages keep it in addresses, and instances must agree on it.
func failureGroup(r *taskflow.Record) string {
	var shape string
	switch r.Status {
	case taskflow.StatusFailed:
		shape = errorShape(r.Error)
	case taskflow.StatusInterrupted:
		if shape = "interrupted"; strings.Contains(r.Error, processEnded) { // otherwise its manager stopped, whatever the function said of that
			shape = processEnded
		}
	default:
		return ""
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(r.Name + "\x00" + string(r.Status) + "\x00" + shape)) // never fails
	return hex.EncodeToString(h.Sum(nil))
}

// errorShape is the first line of an error without what differs from one failure to the next: words with digits in them (numbers, ids,
// addresses, durations), words that are hexadecimal, addresses of mail and web, and what is quoted.
func errorShape(text string) string {
	line := firstLine(text)
	var b strings.Builder
	for i := 0; i < len(line); {
		c := line[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r':
			for i < len(line) && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r') {
				i++
			}
			b.WriteByte(' ')
		case isQuote(c) && !followsWord(b.String()):
			end := strings.IndexByte(line[i+1:], c)
			if end < 0 {
				b.WriteByte(c)
				i++
				continue
			}
			b.WriteByte(c)
			b.WriteByte('*')
			b.WriteByte(c)
			i += end + 2
		case isWord(c):
			end := i
			for end < len(line) && (isWord(line[end]) || isJoint(line[end])) {
				end++
			}
			word := line[i:end]
			for isJoint(word[len(word)-1]) { // "line 12:" ends with a colon that is none of the number's
				word = word[:len(word)-1]
			}
			if varies(word) {
				b.WriteByte('#')
			} else {
				b.WriteString(word)
			}
			i += len(word)
		default:
			b.WriteByte(c)
			i++
		}
	}
	return strings.TrimSpace(b.String())
}

// firstLine is the first line of a text that has anything in it, as valid UTF-8 and not longer than what counts.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return clip(strings.TrimSpace(line), maxErrorShape)
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// followsWord tells an apostrophe from a quotation mark.
func followsWord(before string) bool {
	return before != "" && (isWord(before[len(before)-1]) || before[len(before)-1] == '#')
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= utf8.RuneSelf
}

// isJoint reports whether c may be inside of a word: of an address, an id, a path, a decimal number.
func isJoint(c byte) bool { return strings.IndexByte(".:-/@%+", c) >= 0 }

// varies reports whether a word is likely to be another one in the next failure.
func varies(word string) bool {
	hexadecimal := len(word) >= 8
	for i := range len(word) {
		c := word[i]
		if c >= '0' && c <= '9' {
			return true
		}
		if (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			hexadecimal = false
		}
	}
	return hexadecimal || strings.Contains(word, "@") || strings.Contains(word, "://")
}
