// Package jobs holds the task definitions that the example services share. It knows neither a web framework nor a manager: a
// definition is a name, a typed function and its policy.
package jobs

import (
	"context"
	"log/slog"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// CPUPool is the pool of the tasks that compute; give it as many workers as there are processors, by taskflow.WithPool.
const CPUPool = "cpu"

// Jobs are the tasks of the example service, bound to what they need.
type Jobs struct {
	// Thumbnails makes the small versions of an uploaded picture. A picture that cannot be decoded fails at once: it would not
	// get better. It is saved over a restart when it has not begun.
	Thumbnails taskflow.Task[Upload]
	// Publish copies one thumbnail to the storage, which is not always available.
	Publish taskflow.Task[Thumbnail]
	// Confirm sends the confirmation of an order. It may run again when the process died in the middle of it.
	Confirm taskflow.Task[Order]

	storage *Storage
}

// Upload is a picture that a client sent, already in a file of its own: the request's body is gone when the task runs.
type Upload struct {
	ID   string `json:"id"`
	File string `json:"file"`
}

// Thumbnail is one small version, in the work folder.
type Thumbnail struct {
	ID   string `json:"id"`   // of the upload
	File string `json:"file"` // where it is
	Name string `json:"name"` // what the storage calls it
}

// Order is what a customer ordered.
type Order struct {
	Item     string `json:"item"`
	Quantity int    `json:"quantity"`
	Email    string `json:"email"`
}

// New binds the tasks to the storage.
func New(storage *Storage) *Jobs {
	j := &Jobs{storage: storage}
	j.Thumbnails = taskflow.Define("make_thumbnails", j.makeThumbnails,
		taskflow.Pool(CPUPool), taskflow.Timeout(time.Minute), taskflow.Requeue())
	j.Publish = taskflow.Define("publish_thumbnail", j.publish,
		taskflow.Retry(5, taskflow.Exponential(200*time.Millisecond, 2)), taskflow.Timeout(10*time.Second), taskflow.Requeue())
	j.Confirm = taskflow.Define("confirm_order", confirmOrder,
		taskflow.Retry(3, taskflow.Exponential(time.Second, 2)), taskflow.Idempotent())
	return j
}

// All lists the tasks for taskflow.WithTasks.
func (j *Jobs) All() []taskflow.Definition {
	return []taskflow.Definition{j.Thumbnails, j.Publish, j.Confirm}
}

func confirmOrder(ctx context.Context, o Order) error {
	slog.InfoContext(ctx, "order confirmed", "item", o.Item, "quantity", o.Quantity, "to", o.Email)
	return nil
}

// Welcome greets a new user. It is a plain function: services add it as a closure.
func Welcome(ctx context.Context, email string) error {
	slog.InfoContext(ctx, "welcome", "to", email)
	return nil
}
