package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/examples/internal/jobs"
)

// maxUpload is how many bytes a request's body may have.
const maxUpload = 10 << 20

type service struct {
	jobs     *jobs.Jobs
	incoming *jobs.Incoming
	storage  *jobs.Storage
}

func (s *service) routes(r gin.IRouter) {
	r.POST("/images", s.upload)
	r.GET("/images/:id", s.list)
	r.GET("/images/:id/:name", s.show)
	r.POST("/signup", s.signup)
	r.POST("/orders", s.order)
}

// upload stores the picture before it answers, and leaves the thumbnails to a task.
func (s *service) upload(c *gin.Context) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxUpload)
	body, err := picture(c)
	if err != nil {
		fail(c, http.StatusBadRequest, err)
		return
	}
	kept, err := s.incoming.Keep(body)
	if err := errors.Join(err, body.Close()); err != nil {
		fail(c, http.StatusInternalServerError, err)
		return
	}
	task := tasks.Add(c, s.jobs.Thumbnails.With(kept), taskflow.Tag("upload", kept.ID))
	c.JSON(http.StatusAccepted, gin.H{"id": kept.ID, "images": "/images/" + kept.ID, "task": "/tasks/" + task.ID()})
}

// picture finds the upload: the field "image" of a form, or else the whole body.
func picture(c *gin.Context) (io.ReadCloser, error) {
	if c.ContentType() != gin.MIMEMultipartPOSTForm {
		return c.Request.Body, nil
	}
	header, err := c.FormFile("image")
	if err != nil {
		return nil, err
	}
	return header.Open()
}

// list shows what has been published of an upload so far.
func (s *service) list(c *gin.Context) {
	names, err := s.storage.List(c.Param("id"))
	if err != nil {
		fail(c, http.StatusInternalServerError, err)
		return
	}
	links := []string{}
	for _, name := range names {
		links = append(links, "/images/"+c.Param("id")+"/"+name)
	}
	c.JSON(http.StatusOK, gin.H{"id": c.Param("id"), "thumbnails": links})
}

func (s *service) show(c *gin.Context) {
	names, err := s.storage.List(c.Param("id"))
	switch {
	case err != nil:
		fail(c, http.StatusInternalServerError, err)
	case !slices.Contains(names, c.Param("name")):
		fail(c, http.StatusNotFound, errors.New("no such thumbnail"))
	default:
		c.File(s.storage.File(c.Param("id"), c.Param("name")))
	}
}

// signup adds a closure: it is tracked and shown, but lives in memory only.
func (s *service) signup(c *gin.Context) {
	var user struct {
		Email string `json:"email" binding:"required,email"`
	}
	if err := c.ShouldBindJSON(&user); err != nil {
		fail(c, http.StatusBadRequest, err)
		return
	}
	tasks.Add(c, func(ctx context.Context) error { return jobs.Welcome(ctx, user.Email) }, taskflow.Name("welcome"))
	c.Status(http.StatusCreated)
}

// order answers 202 only when the task is on disk.
func (s *service) order(c *gin.Context) {
	var order jobs.Order
	err := c.ShouldBindJSON(&order)
	if err == nil && (order.Item == "" || order.Quantity < 1) {
		err = errors.New("an order needs an item and a quantity of at least 1")
	}
	if err != nil {
		fail(c, http.StatusBadRequest, err)
		return
	}
	task, err := tasks.Submit(c, s.jobs.Confirm.With(order))
	if err != nil {
		fail(c, http.StatusServiceUnavailable, err)
		return
	}
	c.JSON(http.StatusAccepted, gin.H{"task_id": task.ID()})
}

// fail answers with an error; what went wrong inside is logged, not told.
func fail(c *gin.Context, status int, err error) {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		status = http.StatusRequestEntityTooLarge
	}
	text := err.Error()
	if status >= http.StatusInternalServerError {
		slog.ErrorContext(c.Request.Context(), "request failed", "path", c.FullPath(), "error", err)
		text = http.StatusText(status)
	}
	c.AbortWithStatusJSON(status, gin.H{"error": text})
}
