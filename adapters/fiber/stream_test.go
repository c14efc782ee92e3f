package tasks_test

import (
	"bufio"
	"io"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
)

// A report or an export may take longer to stream than tasks wait for a response that nobody tells the end of.
func TestTasksWaitForTheEndOfAStreamHoweverLongItTakes(t *testing.T) {
	t.Parallel()
	const wait = 20 * time.Millisecond
	for name, leave := range map[string]bool{"read to its end": false, "given up by the client": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := adaptertest.NewManager(t)
			app := fiber.New(fiber.Config{DisableStartupMessage: true})
			app.Use(tasks.ImpatientMiddleware(m, wait))
			ran, goOn := make(chan struct{}), make(chan struct{})
			app.Get("/", func(c *fiber.Ctx) error {
				tasks.Add(c, func() { close(ran) })
				c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
					for i := 0; i == 0 || leave && w.Flush() == nil; i++ { // until the client has left
						_, _ = w.WriteString("part") // an error comes again with the flush
					}
					_ = w.Flush()
					<-goOn
				})
				return nil
			})
			_, addr := run(t, app, m)
			client := adaptertest.Dial(t, addr)
			client.Request("GET", "/", "")
			resp, err := client.Head()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(resp.Body, make([]byte, 4)); err != nil {
				t.Fatal(err)
			}
			select {
			case <-ran:
				t.Error("the task started in the middle of the response")
			case <-time.After(10 * wait): // not a wait for something: longer than tasks wait for other responses
			}
			if leave {
				if err := client.Close(); err != nil {
					t.Fatal(err)
				}
			}
			close(goOn)
			adaptertest.Receive(t, "the task, after the response", ran)
		})
	}
}
