package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Incoming keeps uploads, each in a folder of its own. Safe for concurrent use.
type Incoming struct{ dir string }

// NewIncoming returns a folder for uploads in dir, which it creates.
func NewIncoming(dir string) (*Incoming, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("folder for uploads: %w", err)
	}
	return &Incoming{dir}, nil
}

// Keep stores an upload under a new id. When it returns, the task that gets it can run at any time, also after a restart.
func (in *Incoming) Keep(r io.Reader) (Upload, error) {
	u := Upload{ID: strings.ToLower(rand.Text())}
	dir := filepath.Join(in.dir, u.ID)
	if err := os.Mkdir(dir, 0o750); err != nil {
		return Upload{}, fmt.Errorf("keep the upload: %w", err)
	}
	u.File = filepath.Join(dir, "original")
	err := writeFile(u.File, func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
	if err != nil {
		return Upload{}, errors.Join(fmt.Errorf("keep the upload: %w", err), os.RemoveAll(dir))
	}
	return u, nil
}

// Tidy removes what was uploaded longer than keep ago: its thumbnails are made, or will never be.
func (in *Incoming) Tidy(ctx context.Context, keep time.Duration) error {
	all, err := os.ReadDir(in.dir)
	if err != nil {
		return fmt.Errorf("tidy the uploads: %w", err)
	}
	var failed []error
	for _, upload := range all {
		info, err := upload.Info()
		if err != nil || time.Since(info.ModTime()) < keep { // an error: it is gone already
			continue
		}
		slog.InfoContext(ctx, "remove an old upload", "id", upload.Name())
		failed = append(failed, os.RemoveAll(filepath.Join(in.dir, upload.Name())))
	}
	return errors.Join(failed...)
}

// writeFile makes a file appear under its name only when it is complete.
func writeFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(write(f), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
