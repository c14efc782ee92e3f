package tasks_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
)

func TestMistakesOfTheProgram(t *testing.T) {
	t.Parallel()
	m := adaptertest.NewManager(t)
	for want, f := range map[string]func(){
		"tasks.Attach: the app is nil":             func() { tasks.Attach(nil, m) },
		"tasks.Attach: the manager is nil":         func() { tasks.Attach(fiber.New(), nil) },
		"tasks.Add: the *fiber.Ctx has no requ":    func() { tasks.Add(nil, func() {}) },
		`tasks.Mount("/tasks"): the router is nil`: func() { tasks.Mount(nil, m, "/tasks") },
	} {
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.HasPrefix(p, want) {
					t.Errorf("panic %q, want %q", p, want)
				}
			}()
			f()
		}()
	}
	if err := tasks.Run(t.Context(), nil, m, ":0"); err == nil || !strings.Contains(err.Error(), "the app is nil") {
		t.Errorf("Run without an app: %v", err)
	}
}
