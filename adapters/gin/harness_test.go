package tasks_test

import (
	"context"
	"net"
	"testing"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	taskflow "github.com/taskflow-go/taskflow/core"
)

func listenLocal() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

// newEngine returns an engine without Recovery, whose routes may add tasks.
func newEngine(m *taskflow.Manager) *gin.Engine {
	r := gin.New()
	r.Use(tasks.Middleware(m))
	return r
}

// run serves engine by Run until the test ends.
func run(t testing.TB, engine *gin.Engine, m *taskflow.Manager, ln *adaptertest.Listener, opts ...tasks.RunOption) *adaptertest.Service {
	t.Helper()
	return adaptertest.Start(t, func(ctx context.Context) error {
		return tasks.Run(ctx, engine, m, "", append(opts, tasks.WithListener(ln))...)
	})
}

// stopClean ends the service and expects nothing to complain about.
func stopClean(t testing.TB, s *adaptertest.Service) {
	t.Helper()
	s.Stop()
	if err := s.Wait(); err != nil {
		t.Errorf("Run: %v", err)
	}
}
