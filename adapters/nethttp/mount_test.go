package tasks_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	tasks "github.com/taskflow-go/taskflow/adapters/nethttp"
)

func TestMountNamesTheOtherPattern(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle("/t/7/{report}", http.NotFoundHandler())
	defer func() {
		p := fmt.Sprint(recover())
		for _, want := range []string{`tasks.Mount("/t/{tenant}/tasks"): `, `"/t/7/{report}"`, "mount_test.go:", "mount at another path"} {
			if !strings.Contains(p, want) {
				t.Errorf("panic %q\nlacks %q", p, want)
			}
		}
	}()
	tasks.Mount(mux, adaptertest.NewManager(t), "/t/{tenant}/tasks")
}
