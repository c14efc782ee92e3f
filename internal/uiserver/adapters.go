package main

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v2"

	chitasks "github.com/taskflow-go/taskflow/adapters/chi"
	fibertasks "github.com/taskflow-go/taskflow/adapters/fiber"
	gintasks "github.com/taskflow-go/taskflow/adapters/gin"
	nettasks "github.com/taskflow-go/taskflow/adapters/nethttp"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// mount is where the dashboard is in the service.
const mount = "/tasks"

// runAdapter serves the dashboard on ln by one of the adapters until ctx ends. ready is called when connections are accepted: ln
// listens already, so that those which come before the manager has started wait.
func runAdapter(ctx context.Context, name string, m *taskflow.Manager, opts []dashboard.Option, ln net.Listener, ready func() error) error {
	ln = &announcing{Listener: ln, ready: ready}
	switch name {
	case "gin":
		gin.SetMode(gin.ReleaseMode)
		r := gin.New()
		r.Use(gintasks.Middleware(m))
		gintasks.Mount(r, m, mount, opts...)
		return gintasks.Run(ctx, r, m, "", gintasks.WithListener(ln))
	case "chi":
		r := chi.NewRouter()
		r.Use(chitasks.Middleware(m))
		chitasks.Mount(r, m, mount, opts...)
		return chitasks.Run(ctx, r, m, "", chitasks.WithListener(ln))
	case "fiber":
		app := fiber.New(fiber.Config{DisableStartupMessage: true})
		app.Use(fibertasks.Middleware(m))
		fibertasks.Mount(app, m, mount, opts...)
		return fibertasks.Run(ctx, app, m, "", fibertasks.WithListener(ln))
	case "nethttp":
		mux := http.NewServeMux()
		nettasks.Mount(mux, m, mount, opts...)
		return nettasks.Run(ctx, nettasks.Middleware(m)(mux), m, "", nettasks.WithListener(ln))
	}
	return fmt.Errorf("there is no adapter %q: it is gin, fiber, chi or nethttp", name)
}

// announcing calls ready before the first Accept, which is when the manager has started.
type announcing struct {
	net.Listener

	ready func() error
}

func (a *announcing) Accept() (net.Conn, error) {
	if a.ready != nil {
		ready := a.ready
		a.ready = nil
		if err := ready(); err != nil {
			return nil, err
		}
	}
	return a.Listener.Accept()
}
