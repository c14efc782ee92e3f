package taskflow_test

import (
	"testing"
	"unsafe"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// A framework may overwrite the memory of its strings once the handler has returned: Fiber does.
func TestTagsAndNamesAreCopiedAtOnce(t *testing.T) {
	t.Parallel()
	m := started(t)
	memory := []byte("order 7 copy")
	text := unsafe.String(unsafe.SliceData(memory), len(memory))
	options := []taskflow.AddOption{taskflow.Tag(text[:5], text[6:7]), taskflow.Name(text[8:])}
	before := add(m, func() {}, options...)
	copy(memory, "XXXXXXXXXXXX")
	after := add(m, func() {}, options...) // an option may be kept and used later
	for _, h := range []taskflow.Handle{before, after} {
		if err := h.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r := h.Record(); r.Name != "copy" || len(r.Tags) != 1 || r.Tags["order"] != "7" {
			t.Errorf("the record has name %q and tags %q, want %q and order 7", r.Name, r.Tags, "copy")
		}
	}
}
