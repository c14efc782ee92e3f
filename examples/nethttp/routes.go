package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"

	tasks "github.com/taskflow-go/taskflow/adapters/nethttp"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/examples/internal/jobs"
	"github.com/taskflow-go/taskflow/examples/internal/service"
)

type routes struct{ *service.Service }

func (s routes) add(mux *http.ServeMux) {
	mux.HandleFunc("POST /images", s.upload)
	mux.HandleFunc("GET /images/{id}", s.list)
	mux.HandleFunc("GET /images/{id}/{name}", s.show)
	mux.HandleFunc("POST /signup", s.signup)
	mux.HandleFunc("POST /orders", s.order)
}

// upload stores the picture before it answers, and leaves the thumbnails to a task.
func (s routes) upload(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, service.MaxUpload)
	body, err := picture(r)
	if err != nil {
		fail(w, r, http.StatusBadRequest, err)
		return
	}
	kept, err := s.Incoming.Keep(body)
	if err := errors.Join(err, body.Close()); err != nil {
		fail(w, r, http.StatusInternalServerError, err)
		return
	}
	task := tasks.Add(r, s.Jobs.Thumbnails.With(kept), taskflow.Tag("upload", kept.ID))
	answer(w, r, http.StatusAccepted, map[string]string{"id": kept.ID, "images": "/images/" + kept.ID, "task": "/tasks/" + task.ID()})
}

// picture finds the upload: the field "image" of a form, or else the whole body.
func picture(r *http.Request) (io.ReadCloser, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "multipart/form-data" {
		return r.Body, nil
	}
	file, _, err := r.FormFile("image")
	return file, err
}

// list shows what has been published of an upload so far.
func (s routes) list(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	links, err := s.Links(id)
	if err != nil {
		fail(w, r, http.StatusInternalServerError, err)
		return
	}
	answer(w, r, http.StatusOK, map[string]any{"id": id, "thumbnails": links})
}

func (s routes) show(w http.ResponseWriter, r *http.Request) {
	file, err := s.Thumbnail(r.PathValue("id"), r.PathValue("name"))
	switch {
	case errors.Is(err, service.ErrNoThumbnail):
		fail(w, r, http.StatusNotFound, err)
	case err != nil:
		fail(w, r, http.StatusInternalServerError, err)
	default:
		http.ServeFile(w, r, file)
	}
}

// signup adds a closure: it is tracked and shown, but lives in memory only.
func (s routes) signup(w http.ResponseWriter, r *http.Request) {
	var user struct {
		Email string `json:"email"`
	}
	err := decode(w, r, &user)
	if err == nil {
		err = service.CheckEmail(user.Email)
	}
	if err != nil {
		fail(w, r, http.StatusBadRequest, err)
		return
	}
	tasks.Add(r, func(ctx context.Context) error { return jobs.Welcome(ctx, user.Email) }, taskflow.Name("welcome"))
	w.WriteHeader(http.StatusCreated)
}

// order answers 202 only when the task is on disk.
func (s routes) order(w http.ResponseWriter, r *http.Request) {
	var order jobs.Order
	err := decode(w, r, &order)
	if err == nil {
		err = service.CheckOrder(order)
	}
	if err != nil {
		fail(w, r, http.StatusBadRequest, err)
		return
	}
	task, err := tasks.Submit(r, s.Jobs.Confirm.With(order))
	if err != nil {
		fail(w, r, http.StatusServiceUnavailable, err)
		return
	}
	answer(w, r, http.StatusAccepted, map[string]string{"task_id": task.ID()})
}

func decode(w http.ResponseWriter, r *http.Request, into any) error {
	return json.NewDecoder(http.MaxBytesReader(w, r.Body, service.MaxUpload)).Decode(into)
}

// fail answers with an error.
func fail(w http.ResponseWriter, r *http.Request, status int, err error) {
	status, body := service.Failure(r.Context(), r.URL.Path, status, err)
	answer(w, r, status, body)
}

func answer(w http.ResponseWriter, r *http.Request, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		slog.WarnContext(r.Context(), "the client did not get its answer", "error", err)
	}
}
