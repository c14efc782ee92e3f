package main

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/gin-gonic/gin"

	tasks "github.com/taskflow-go/taskflow/adapters/gin"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/examples/internal/jobs"
	"github.com/taskflow-go/taskflow/examples/internal/service"
)

type routes struct{ *service.Service }

func (s routes) add(r gin.IRouter) {
	r = r.Group("/", limit)
	r.POST("/images", s.upload)
	r.GET("/images/:id", s.list)
	r.GET("/images/:id/:name", s.show)
	r.POST("/signup", s.signup)
	r.POST("/orders", s.order)
}

// limit cuts off bodies that are too large.
func limit(c *gin.Context) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, service.MaxUpload)
}

// upload stores the picture before it answers, and leaves the thumbnails to a task.
func (s routes) upload(c *gin.Context) {
	body, err := picture(c)
	if err != nil {
		fail(c, http.StatusBadRequest, err)
		return
	}
	kept, err := s.Incoming.Keep(body)
	if err := errors.Join(err, body.Close()); err != nil {
		fail(c, http.StatusInternalServerError, err)
		return
	}
	task := tasks.Add(c, s.Jobs.Thumbnails.With(kept), taskflow.Tag("upload", kept.ID))
	c.JSON(http.StatusAccepted, gin.H{"id": kept.ID, "images": "/images/" + kept.ID, "task": "/tasks/" + task.ID()})
}

// picture finds the upload: the field "image" of a form, or else the whole body.
func picture(c *gin.Context) (io.ReadCloser, error) {
	if kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type")); err != nil || kind != gin.MIMEMultipartPOSTForm {
		return c.Request.Body, nil
	}
	header, err := c.FormFile("image")
	if err != nil {
		return nil, err
	}
	return header.Open()
}

// list shows what has been published of an upload so far.
func (s routes) list(c *gin.Context) {
	links, err := s.Links(c.Param("id"))
	if err != nil {
		fail(c, http.StatusInternalServerError, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"id": c.Param("id"), "thumbnails": links})
}

func (s routes) show(c *gin.Context) {
	file, err := s.Thumbnail(c.Param("id"), c.Param("name"))
	switch {
	case errors.Is(err, service.ErrNoThumbnail):
		fail(c, http.StatusNotFound, err)
	case err != nil:
		fail(c, http.StatusInternalServerError, err)
	default:
		c.File(file)
	}
}

// signup adds a closure: it is tracked and shown, but lives in memory only.
func (s routes) signup(c *gin.Context) {
	var user struct {
		Email string `json:"email"`
	}
	err := c.ShouldBindJSON(&user)
	if err == nil {
		err = service.CheckEmail(user.Email)
	}
	if err != nil {
		fail(c, http.StatusBadRequest, err)
		return
	}
	tasks.Add(c, func(ctx context.Context) error { return jobs.Welcome(ctx, user.Email) }, taskflow.Name("welcome"))
	c.Status(http.StatusCreated)
}

// order answers 202 only when the task is on disk.
func (s routes) order(c *gin.Context) {
	var order jobs.Order
	err := c.ShouldBindJSON(&order)
	if err == nil {
		err = service.CheckOrder(order)
	}
	if err != nil {
		fail(c, http.StatusBadRequest, err)
		return
	}
	task, err := tasks.Submit(c, s.Jobs.Confirm.With(order))
	if err != nil {
		fail(c, http.StatusServiceUnavailable, err)
		return
	}
	c.JSON(http.StatusAccepted, gin.H{"task_id": task.ID()})
}

// fail answers with an error.
func fail(c *gin.Context, status int, err error) {
	c.AbortWithStatusJSON(service.Failure(c.Request.Context(), c.FullPath(), status, err))
}
