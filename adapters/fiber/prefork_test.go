package tasks_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/gofiber/fiber/v2"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	"github.com/taskflow-go/taskflow/adapters/internal/adaptertest"
	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// preforkStore and preforkAddr make the test binary a program with Prefork, on that SQLite file and address.
const (
	preforkStore = "TASKFLOW_TEST_PREFORK_STORE"
	preforkAddr  = "TASKFLOW_TEST_PREFORK_ADDR"
)

func preforkProgram() error {
	m, err := taskflow.New(taskflow.WithBackend(sqlite.Open(os.Getenv(preforkStore))), taskflow.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, nil))))
	if err != nil {
		return err
	}
	app := fiber.New(fiber.Config{Prefork: true, DisableStartupMessage: true})
	app.Use(tasks.Middleware(m))
	app.Get("/", func(c *fiber.Ctx) error {
		tasks.Add(c, func() { <-m.Draining() }) // so it ends after the signal only
		return c.SendString(strconv.Itoa(os.Getpid()))
	})
	return tasks.Run(context.Background(), app, m, os.Getenv(preforkAddr), tasks.AllowPrefork())
}

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
}

func TestPreforkDrainsAllProcesses(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // no SIGTERM to send there
	}
	ln := adaptertest.Listen(t, 0)
	addr := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	store := filepath.Join(t.TempDir(), "tasks.db")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), preforkStore+"="+store, preforkAddr+"="+addr, "GOMAXPROCS=2")
	var output strings.Builder
	cmd.Stderr = &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // awaited below, or killed
	t.Cleanup(func() { _ = cmd.Process.Kill() })

	pids, answers := map[string]bool{}, 0
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	adaptertest.Eventually(t, "both children have answered", func() bool {
		resp, err := client.Get("http://" + addr)
		if err != nil {
			return false // not there yet
		}
		defer resp.Body.Close()
		pid, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v", resp.Status, err)
		}
		pids[string(pid)], answers = true, answers+1
		return len(pids) == 2
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := adaptertest.Receive(t, "the end of the processes", ended); err != nil {
		t.Errorf("the parent: %v\n%s", err, output.String())
	}
	m := adaptertest.StartedManager(t, taskflow.WithBackend(sqlite.Open(store)))
	page, err := m.List(t.Context(), taskflow.Query{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	for _, r := range page.Records {
		if r.Status == taskflow.StatusSuccess {
			done++
		}
	}
	if done != answers {
		t.Errorf("%d tasks are done in the history, want %d\n%s", done, answers, output.String())
	}
}
