package tasks_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
)

func TestPreforkIsRefused(t *testing.T) {
	t.Parallel()
	app := fiber.New(fiber.Config{Prefork: true})
	ln := adaptertest.Listen(t, 0)
	if err := tasks.Run(t.Context(), app, adaptertest.NewManager(t), "", tasks.WithListener(ln)); !errors.Is(err, tasks.ErrPrefork) {
		t.Errorf("Run: %v, want ErrPrefork", err)
	}
	if _, err := ln.Accept(); err == nil {
		t.Error("the listener is still open")
	}
	ln = adaptertest.Listen(t, 0)
	err := tasks.Run(t.Context(), app, adaptertest.NewManager(t), "", tasks.AllowPrefork(), tasks.WithListener(ln))
	if err == nil || !strings.Contains(err.Error(), "give Run the address") {
		t.Errorf("Run with a listener: %v", err)
	}
	if _, err := ln.Accept(); err == nil {
		t.Error("the listener is still open")
	}
}

func TestPreforkIsRefusedOnWindows(t *testing.T) {
	t.Parallel()
	err := tasks.MayPrefork("windows", adaptertest.NewManager(t), tasks.AllowPrefork())
	if err == nil || !strings.Contains(err.Error(), "on Windows") {
		t.Errorf("on Windows: %v", err)
	}
	if err := tasks.MayPrefork("linux", adaptertest.NewManager(t), tasks.AllowPrefork()); err != nil {
		t.Errorf("on Linux: %v", err)
	}
}
