package tasks_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	"github.com/taskflow-go/taskflow/dashboard"
)

func TestMountSaysWhatIsInItsWay(t *testing.T) {
	t.Parallel()
	nothing := func(*gin.Context) {}
	for name, tc := range map[string]struct {
		before func(*gin.Engine)
		path   string
		opt    dashboard.Option
		want   []string
	}{
		"a parameter": {func(r *gin.Engine) { r.GET("/tasks/:id", nothing) }, "/tasks", nil,
			[]string{`tasks.Mount("/tasks")`, "/tasks/*taskflow_path", "/tasks/:id", "mount at another path"}},
		"the same path": {func(r *gin.Engine) { r.GET("/tasks", nothing) }, "/tasks", nil,
			[]string{`tasks.Mount("/tasks")`, "'/tasks'", "mount at another path"}},
		"any route, at the root": {func(r *gin.Engine) { r.GET("/x", nothing) }, "/", nil,
			[]string{`tasks.Mount("/")`, "/*taskflow_path", "mount at another path"}},
		"a bad option": {func(*gin.Engine) {}, "/tasks", dashboard.MaxViewers(0),
			[]string{`tasks.Mount("/tasks")`, "MaxViewers"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine := gin.New()
			tc.before(engine)
			var opts []dashboard.Option
			if tc.opt != nil {
				opts = append(opts, tc.opt)
			}
			defer func() {
				p := fmt.Sprint(recover())
				for _, want := range tc.want {
					if !strings.Contains(p, want) {
						t.Errorf("panic %q\nlacks %q", p, want)
					}
				}
			}()
			tasks.Mount(engine, adaptertest.NewManager(t), tc.path, opts...)
		})
	}
}
