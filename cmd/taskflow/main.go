// Command taskflow looks into the storage of taskflow, and changes it, without a running program: it lists, shows, retries and cancels
// tasks, deletes old history, and copies everything from one backend to another.
//
//	go install ./cmd/taskflow # in a clone: there is no release yet
//	taskflow list --status failed --since 6h tasks.db
//	taskflow migrate tasks.db postgres://app@db.example.com/tasks
//	taskflow help
//
// docs/cli.md shows each command.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/redis/go-redis/v9"

	"github.com/taskflow-go/taskflow/internal/cli"
)

func main() {
	redis.SetLogger(quiet{})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal a command ends in order, and says what it has done; the second ends the process.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// quiet keeps the Redis client from writing to stderr what the error of a command says already.
type quiet struct{}

// Printf implements the client's logger.
func (quiet) Printf(context.Context, string, ...any) {}
