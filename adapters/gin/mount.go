package tasks

import (
	"fmt"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/taskflow-go/taskflow/adapters/internal/httpx"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// restParam is the part of the path below the mount point.
const restParam = "taskflow_path"

// Mount serves the dashboard, its JSON API and its live stream at path, "/tasks" say, of an engine or a group; it works behind a
// proxy that strips a prefix. "/" is possible where the router or group has no other route, since Gin's trees are strict.
//
// It panics, as Gin does for its routes, when the path clashes with another route, and when an option is invalid.
func Mount(r gin.IRouter, m *taskflow.Manager, path string, opts ...dashboard.Option) {
	point := "/" + strings.Trim(path, "/")
	if r == nil {
		panic(fmt.Sprintf("tasks.Mount(%q): the router is nil: pass the engine or a group", path))
	}
	if m == nil {
		panic(fmt.Sprintf("tasks.Mount(%q): the manager is nil: pass what taskflow.New returned", path))
	}
	h, err := dashboard.New(m, opts...)
	if err != nil {
		panic(fmt.Sprintf("tasks.Mount(%q): %v", path, err))
	}
	defer func() {
		if p := recover(); p != nil {
			panic(fmt.Sprintf("tasks.Mount(%q): %v: mount at another path, or move the other route", path, p))
		}
	}()
	if point == "/" {
		point = ""
	} else {
		r.Any(point, func(c *gin.Context) { httpx.ServeBelow(h, c.Writer, c.Request, "") })
	}
	r.Any(point+"/*"+restParam, func(c *gin.Context) { httpx.ServeBelow(h, c.Writer, c.Request, c.Param(restParam)) })
}
