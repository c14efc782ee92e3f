package tasks

import (
	"github.com/gin-gonic/gin"

	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// Mount serves the dashboard, its JSON API and its live stream at path, "/tasks" say, of an engine or a group; it works behind a
// proxy that strips a prefix. "/" is possible where the router or group has no other route, since Gin's trees are strict. Requests
// of every method that Gin knows are the dashboard's to answer, those that it has nowhere, like PUT, with a 405.
//
// It panics, as Gin does for its routes, when the path clashes with another route, and when an option is invalid.
func Mount(r gin.IRouter, m *taskflow.Manager, path string, opts ...dashboard.Option) {
	h, point := httpx.NewMount(r == nil, m, path, []string{"*"}, append([]dashboard.Option{dashboard.Framework("gin")}, opts...))
	defer func() {
		if p := recover(); p != nil {
			panic(httpx.Clash(path, p))
		}
	}()
	if point != "" {
		r.Any(point, func(c *gin.Context) { httpx.ServeBelow(h, c.Writer, c.Request, "") })
	}
	r.Any(point+"/*"+httpx.RestParam, func(c *gin.Context) { httpx.ServeBelow(h, c.Writer, c.Request, c.Param(httpx.RestParam)) })
}
