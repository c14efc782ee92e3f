// Command taskflow looks into the storage of taskflow, and changes it, without a running program: it lists, shows, retries and cancels
// tasks, deletes old history, and copies everything from one backend to another.
//
//	go install github.com/taskflow-go/taskflow/cmd/taskflow@latest
//	taskflow list --status failed --since 6h sqlite:tasks.db
//	taskflow migrate sqlite:tasks.db postgres://app@db.example.com/tasks
//	taskflow help
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/taskflow-go/taskflow/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the command ends in order and says what it has done; the second ends the process.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
