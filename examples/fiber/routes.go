package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"

	"github.com/gofiber/fiber/v2"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/examples/internal/jobs"
	"github.com/taskflow-go/taskflow/examples/internal/service"
)

type routes struct{ *service.Service }

func (s routes) add(r fiber.Router) {
	r.Post("/images", s.upload)
	r.Get("/images/:id", s.list)
	r.Get("/images/:id/:name", s.show)
	r.Post("/signup", s.signup)
	r.Post("/orders", s.order)
}

// upload stores the picture before it answers, and leaves the thumbnails to a task. An error that a handler returns drops the tasks of its
// request, so the task is added when nothing can go wrong any more.
func (s routes) upload(c *fiber.Ctx) error {
	body, err := picture(c)
	if err != nil {
		return fiber.NewError(fiber.StatusBadRequest, err.Error())
	}
	kept, err := s.Incoming.Keep(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return err
	}
	task := tasks.Add(c, s.Jobs.Thumbnails.With(kept), taskflow.Tag("upload", kept.ID))
	return c.Status(fiber.StatusAccepted).JSON(fiber.Map{"id": kept.ID, "images": "/images/" + kept.ID, "task": "/tasks/" + task.ID()})
}

// picture finds the upload: the field "image" of a form, or else the whole body, which is only lent: Keep reads it before the handler returns. Body
// and FormFile would unpack what the client has packed, without a limit: a bomb.
func picture(c *fiber.Ctx) (io.ReadCloser, error) {
	body := bytes.NewReader(c.BodyRaw())
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEMultipartForm {
		return io.NopCloser(body), nil
	}
	form := multipart.NewReader(body, params["boundary"])
	for {
		part, err := form.NextPart()
		if err != nil {
			return nil, fmt.Errorf("look for the picture in the form: %w", err)
		}
		if part.FormName() == "image" {
			return part, nil
		}
	}
}

// list shows what has been published of an upload so far.
func (s routes) list(c *fiber.Ctx) error {
	links, err := s.Links(c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"id": c.Params("id"), "thumbnails": links})
}

func (s routes) show(c *fiber.Ctx) error {
	file, err := s.Thumbnail(c.Params("id"), c.Params("name"))
	if errors.Is(err, service.ErrNoThumbnail) {
		return fiber.NewError(fiber.StatusNotFound, err.Error())
	}
	if err != nil {
		return err
	}
	return c.SendFile(file)
}

// signup adds a closure: it is tracked and shown, but lives in memory only.
func (s routes) signup(c *fiber.Ctx) error {
	var user struct {
		Email string `json:"email"`
	}
	err := json.Unmarshal(c.BodyRaw(), &user) // it copies, where BodyParser may leave strings in memory that the next request gets
	if err == nil {
		err = service.CheckEmail(user.Email)
	}
	if err != nil {
		return fiber.NewError(fiber.StatusBadRequest, err.Error())
	}
	tasks.Add(c, func(ctx context.Context) error { return jobs.Welcome(ctx, user.Email) }, taskflow.Name("welcome"))
	return c.SendStatus(fiber.StatusCreated)
}

// order answers 202 only when the task is on disk.
func (s routes) order(c *fiber.Ctx) error {
	var order jobs.Order
	err := json.Unmarshal(c.BodyRaw(), &order)
	if err == nil {
		err = service.CheckOrder(order)
	}
	if err != nil {
		return fiber.NewError(fiber.StatusBadRequest, err.Error())
	}
	task, err := tasks.Submit(c, s.Jobs.Confirm.With(order)) // With copies at once
	if err != nil {
		return fiber.NewError(fiber.StatusServiceUnavailable, err.Error())
	}
	return c.Status(fiber.StatusAccepted).JSON(fiber.Map{"task_id": task.ID()})
}

// fail answers for handlers that returned an error.
func fail(c *fiber.Ctx, err error) error {
	status := fiber.StatusInternalServerError
	if known := (*fiber.Error)(nil); errors.As(err, &known) {
		status = known.Code
	}
	status, body := service.Failure(c.UserContext(), c.Path(), status, err)
	return c.Status(status).JSON(body)
}
