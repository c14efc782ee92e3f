package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// ErrBusy is what the storage answers now and then.
var ErrBusy = errors.New("storage is busy, try again")

// Storage stands for an object storage somewhere in the network: a folder that refuses every third write. Safe for concurrent use.
type Storage struct {
	dir    string
	writes atomic.Int64
}

// NewStorage returns a storage in dir, which it creates.
func NewStorage(dir string) (*Storage, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	return &Storage{dir: dir}, nil
}

// Put stores what r has under a group and a name. Putting the same again replaces it, so a retry does no harm.
func (s *Storage) Put(group, name string, r io.Reader) error {
	if s.writes.Add(1)%3 == 2 {
		return ErrBusy
	}
	if err := os.MkdirAll(filepath.Join(s.dir, group), 0o750); err != nil {
		return fmt.Errorf("storage: %w", err)
	}
	return writeFile(filepath.Join(s.dir, group, name), func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
}

// List returns the names in a group, sorted; none when there is no such group. group may come from anybody.
func (s *Storage) List(group string) ([]string, error) {
	if group == "" || group[0] == '.' || group != filepath.Base(group) {
		return nil, nil // would lead out of the storage
	}
	entries, err := os.ReadDir(filepath.Join(s.dir, group))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") { // a file that is being written
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// File is where a stored object can be read.
func (s *Storage) File(group, name string) string { return filepath.Join(s.dir, group, name) }

func (j *Jobs) publish(ctx context.Context, t Thumbnail) (err error) {
	f, err := os.Open(t.File)
	if err != nil {
		return fmt.Errorf("open the thumbnail: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := j.storage.Put(t.ID, t.Name, f); err != nil {
		slog.WarnContext(ctx, "not stored", "name", t.Name, "error", err)
		return fmt.Errorf("store %s: %w", t.Name, err)
	}
	slog.InfoContext(ctx, "stored", "name", t.Name)
	return nil
}
