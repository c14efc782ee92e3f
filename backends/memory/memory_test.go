package memory_test

import (
	"errors"
	"testing"

	"github.com/taskflow-go/taskflow/backends/memory"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/core/backendtest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, func(*testing.T) taskflow.Backend { return memory.New() })
}

func TestMemoryOffersEverything(t *testing.T) {
	t.Parallel()
	if n := len(taskflow.Capabilities(memory.New())); n != 16 {
		t.Errorf("%d capabilities, want all 16", n)
	}
}

func TestMemorySharesNothingWithItsCaller(t *testing.T) {
	t.Parallel()
	b := memory.New()
	r := taskflow.Record{ID: "019ab1c2-d3e4-7f50-8a1b-2c3d4e5f6071", Tags: map[string]string{"k": "v"}, Logs: []string{"line"}}
	if _, err := b.Save(t.Context(), []taskflow.Record{r}); err != nil {
		t.Fatal(err)
	}
	r.Tags["k"], r.Logs[0] = "changed", "changed"
	for range 2 {
		got, err := b.Get(t.Context(), r.ID)
		if err != nil || got.Tags["k"] != "v" || got.Logs[0] != "line" {
			t.Errorf("Get returned %+v, %v; want what was saved", got, err)
		}
		got.Tags["k"], got.Logs[0] = "changed", "changed"
	}
}

func TestMemoryClosed(t *testing.T) {
	t.Parallel()
	b := memory.New()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Load(t.Context()); !errors.Is(err, memory.ErrClosed) {
		t.Errorf("Load after Close returned %v, want ErrClosed", err)
	}
}
