package sqlstore

import (
	"fmt"
	"strings"
	"unicode/utf8"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// maxText is how many bytes a column of an index holds; the contract's limits are lower.
const maxText = 255

// maxName bounds names that are bytes: of schedules and secrets.
const maxName = 1000

// checkRecord refuses what the server would not store, not give back unchanged, or not find again.
func checkRecord(r *taskflow.Record) (ID, error) {
	id, err := parseID(r.ID)
	if err == nil {
		err = checkTexts(r)
	}
	if err != nil {
		return id, fmt.Errorf("%w: record %q: %w", ErrInvalidRecord, r.ID, err)
	}
	return id, nil
}

func checkTexts(r *taskflow.Record) error {
	for _, t := range []struct{ what, text string }{
		{"name", r.Name}, {"status", string(r.Status)}, {"source", r.Source}, {"pool", r.Pool}, {"owner", r.Owner},
		{"retry_of", r.RetryOf}, {"retried_by", r.RetriedBy}, {"idempotency key", r.Key},
	} {
		if len(t.text) > maxText {
			return fmt.Errorf("its %s has %d bytes, more than %d", t.what, len(t.text), maxText)
		}
		if t.what != "idempotency key" && !isText(t.text) { // a key is stored as bytes
			return fmt.Errorf("its %s is not valid UTF-8 or has a zero byte", t.what)
		}
	}
	if !isText(r.Error) {
		return fmt.Errorf("its error is not valid UTF-8 or has a zero byte")
	}
	for key, value := range r.Tags {
		if !isText(key) || !isText(value) {
			return fmt.Errorf("its tag %q is not valid UTF-8 or has a zero byte", key)
		}
		if len(key) > maxText || len(value) > maxText {
			return fmt.Errorf("its tag %.40q has more than %d bytes", key, maxText)
		}
	}
	return nil
}

// checkOwner refuses ids of instances that cannot be stored.
func checkOwner(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("%w: the id of the instance is empty", taskflow.ErrInvalidOption)
	case len(id) > maxText || !isText(id):
		return fmt.Errorf("%w: the id of the instance, %.300q, has more than %d bytes, or is no text", taskflow.ErrInvalidOption, id, maxText)
	}
	return nil
}

func checkName(what, name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("%w: the name of a %s has from 1 to %d bytes, not %d", taskflow.ErrInvalidOption, what, maxName, len(name))
	}
	return nil
}

// isText reports whether every server stores s as text.
func isText(s string) bool { return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) }

// printable makes text of what somebody sent us: it is to be kept, whatever it is.
func printable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
