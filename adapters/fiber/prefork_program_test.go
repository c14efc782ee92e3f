package tasks_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// preforkEnv makes the test binary a program with Prefork; its value is a preforkSetup.
const preforkEnv = "TASKFLOW_TEST_PREFORK"

// preforkSetup is what the program is like.
type preforkSetup struct {
	Store         string        // the SQLite file
	Addr, Network string        // Network: tcp4 if empty
	Gate          string        // an address: a child connects to it before it calls Run, and goes on when that connection ends
	Endless       bool          // tasks ignore their context and never return; else they end when the stop begins
	Server, Drain time.Duration // the time-outs of Run; 0: the default
	Grace         time.Duration // WithStopGrace; 0: the default
	Status        int           // with which a child exits when Run has returned; 0: as the error of Run demands
	FailingHook   bool          // OnListen returns an error
}

// preforkProgram runs until its stop, in the first process and in each child, and returns the exit status.
func preforkProgram(setup string) (status int, err error) {
	var s preforkSetup
	if err := json.Unmarshal([]byte(setup), &s); err != nil {
		return 1, err
	}
	if err := s.run(); err != nil {
		return 1, err
	}
	if fiber.IsChild() {
		return s.Status, nil
	}
	return 0, nil
}

func (s preforkSetup) run() error {
	if s.Gate != "" && fiber.IsChild() {
		if err := waitAtGate(s.Gate); err != nil {
			return err
		}
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("pid", os.Getpid())
	managerOpts := []taskflow.ManagerOption{taskflow.WithBackend(sqlite.Open(s.Store)), taskflow.WithLogger(log)}
	if s.Grace > 0 {
		managerOpts = append(managerOpts, taskflow.WithStopGrace(s.Grace))
	}
	m, err := taskflow.New(managerOpts...)
	if err != nil {
		return err
	}
	app := fiber.New(fiber.Config{Prefork: true, Network: s.Network})
	app.Hooks().OnFork(func(pid int) error {
		log.Info("hook: forked", "child", pid)
		return errors.New("only said")
	})
	app.Hooks().OnListen(func(at fiber.ListenData) error {
		log.Info("hook: listening", "host", at.Host, "port", at.Port)
		if s.FailingHook {
			return errors.New("no listening today")
		}
		return nil
	})
	app.Use(tasks.Middleware(m))
	app.Get("/", func(c *fiber.Ctx) error {
		tasks.Add(c, func() {
			<-m.Draining()
			if s.Endless {
				select {}
			}
		})
		return c.SendString(strconv.Itoa(os.Getpid()))
	})
	opts := []tasks.RunOption{tasks.AllowPrefork()}
	if s.Server > 0 {
		opts = append(opts, tasks.WithServerTimeout(s.Server))
	}
	if s.Drain > 0 {
		opts = append(opts, tasks.WithDrainTimeout(s.Drain))
	}
	return tasks.Run(context.Background(), app, m, s.Addr, opts...)
}

func waitAtGate(addr string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = io.Copy(io.Discard, conn)
	return err
}
