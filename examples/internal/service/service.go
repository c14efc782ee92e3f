// Package service is what the picture services of all frameworks share: flags, jobs, folders, the manager, and the hints that they print.
package service

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/examples/internal/jobs"
)

// MaxUpload is how many bytes a request's body may have.
const MaxUpload = 10 << 20

// keepUploads is how long a picture is kept as it was uploaded.
const keepUploads = 24 * time.Hour

// Service is the picture service without its routes.
type Service struct {
	Jobs     *jobs.Jobs
	Incoming *jobs.Incoming
	Storage  *jobs.Storage
	Manager  *taskflow.Manager
}

// Main is the main function of a service: run serves it at addr until it is told to stop.
func Main(run func(ctx context.Context, s *Service, addr string) error) {
	addr := flag.String("addr", "localhost:8080", "address to serve on")
	db := flag.String("db", "tasks.db", "SQLite file for the tasks")
	dir := flag.String("dir", filepath.Join(os.TempDir(), "taskflow-images"), "folder for the pictures")
	flag.Parse()
	// What tasks log with their context is shown with them on the dashboard, too.
	slog.SetDefault(slog.New(taskflow.SlogHandler(slog.NewTextHandler(os.Stderr, nil))))
	s, err := open(*db, *dir)
	if err == nil {
		printHints(*addr)
		err = run(context.Background(), s, *addr)
	}
	if err != nil {
		slog.Error("the service ended", "error", advise(err))
		os.Exit(1)
	}
}

// advise says which flag helps.
func advise(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; -addr gives it another: -addr localhost:8081", err)
	}
	return err
}

func open(db, dir string) (*Service, error) {
	incoming, err := jobs.NewIncoming(filepath.Join(dir, "incoming"))
	if err != nil {
		return nil, err
	}
	storage, err := jobs.NewStorage(filepath.Join(dir, "public"))
	if err != nil {
		return nil, err
	}
	j := jobs.New(storage)
	tidy := taskflow.Define("tidy_uploads", incoming.Tidy)
	m, err := taskflow.New(
		taskflow.WithTasks(j.All()...),
		taskflow.WithSchedule("tidy", taskflow.Every(time.Minute), tidy.With(keepUploads)),
		taskflow.WithBackend(sqlite.Open(db)),
		taskflow.WithPool(jobs.CPUPool, runtime.GOMAXPROCS(0)))
	if err != nil {
		return nil, err
	}
	return &Service{Jobs: j, Incoming: incoming, Storage: storage, Manager: m}, nil
}

func printHints(addr string) {
	if strings.HasPrefix(addr, ":") {
		addr = "localhost" + addr
	}
	fmt.Printf(`Dashboard: http://%[1]s/tasks

Try, from the root of the repository:

  curl -F image=@examples/gin/samples/hills.jpg   http://%[1]s/images
  curl --data-binary @examples/gin/samples/evening.png -H 'Content-Type: image/png' http://%[1]s/images
  curl -F image=@examples/gin/samples/corrupt.jpg http://%[1]s/images
  curl --json '{"email": "ada@example.com"}'       http://%[1]s/signup
  curl --json '{"item": "frame", "quantity": 2, "email": "ada@example.com"}' http://%[1]s/orders

Ctrl-C stops: running tasks finish, waiting ones are kept for the next start.
`, addr)
}

// Links are the paths of what has been published of an upload so far.
func (s *Service) Links(id string) ([]string, error) {
	names, err := s.Storage.List(id)
	if err != nil {
		return nil, err
	}
	links := []string{}
	for _, name := range names {
		links = append(links, "/images/"+id+"/"+name)
	}
	return links, nil
}

// ErrNoThumbnail is the error of Thumbnail for one that is not there.
var ErrNoThumbnail = errors.New("no such thumbnail")

// Thumbnail is the file of a published thumbnail.
func (s *Service) Thumbnail(id, name string) (file string, err error) {
	names, err := s.Storage.List(id)
	switch {
	case err != nil:
		return "", err
	case !slices.Contains(names, name):
		return "", ErrNoThumbnail
	}
	return s.Storage.File(id, name), nil
}

// CheckOrder says what is wrong with an order.
func CheckOrder(o jobs.Order) error {
	if o.Item == "" || o.Quantity < 1 {
		return errors.New("an order needs an item and a quantity of at least 1")
	}
	return nil
}

// CheckEmail says what is wrong with an address.
func CheckEmail(email string) error {
	if parsed, err := mail.ParseAddress(email); err != nil || parsed.Address != email { // a name before the address is not wanted
		return fmt.Errorf("%q is no e-mail address", email)
	}
	return nil
}

// Failure is the answer to a request that failed; what went wrong inside is logged, not told.
func Failure(ctx context.Context, path string, status int, err error) (int, map[string]string) {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		status = http.StatusRequestEntityTooLarge
	}
	text := err.Error()
	if status >= http.StatusInternalServerError {
		slog.ErrorContext(ctx, "request failed", "path", path, "error", err)
		text = http.StatusText(status)
	}
	return status, map[string]string{"error": text}
}
