package tasks_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v2"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	"github.com/taskflow-go/taskflow/dashboard"
)

// The dashboard may be on a server of its own, which stops after the app.
func TestAttachEndsTheStreamsOfOtherServers(t *testing.T) {
	t.Parallel()
	m := adaptertest.StartedManager(t)
	page, err := dashboard.New(m)
	if err != nil {
		t.Fatal(err)
	}
	other := httptest.NewServer(http.StripPrefix("/tasks", page))
	t.Cleanup(other.Close)
	stream := adaptertest.OpenStream(t, other.Listener.Addr().String(), "/tasks/dashboard/stream")
	stream.WaitNamed("hello")

	app := newApp(m)
	app.Get("/", func(c *fiber.Ctx) error { return c.SendString("here") })
	tasks.Attach(app, m)
	ln := adaptertest.Listen(t, 0)
	served := make(chan error, 1)
	go func() { served <- app.Listener(ln) }() // awaited below
	if body := ask(t, ln.Addr().String(), "/"); body != "here" {
		t.Fatalf("the app answers %q", body)
	}
	if err := errors.Join(app.ShutdownWithContext(t.Context()), <-served); err != nil {
		t.Error(err)
	}
	stream.WaitNamed("bye")
	stream.WaitEnd()
}
