package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/backendurl"
)

// storage is what the commands need of a backend; every backend of this module has it.
type storage interface {
	taskflow.Backend
	taskflow.Querier
	taskflow.PendingQuerier
	taskflow.StatsReader
	taskflow.Deleter
	taskflow.Journal
	taskflow.InstanceStore
	taskflow.KeyStore
	taskflow.Messenger
	taskflow.AuditLog
}

// opener describes the backend of a URL, without opening it. existing: it is not to be created.
type opener func(u backendurl.URL, log *slog.Logger, existing bool) (storage, error)

// openTimeout bounds the wait for a server that does not answer.
const openTimeout = 30 * time.Second

// parseURL reads a URL of the command line.
func (a *app) parseURL(raw string) (backendurl.URL, error) {
	u, err := backendurl.Parse(raw, a.env)
	if err != nil {
		return u, &usageError{err.Error()}
	}
	return u, nil
}

// with opens the backend of a URL that is there already, calls f, and closes it.
func (a *app) with(ctx context.Context, raw string, f func(storage) error) error {
	u, err := a.parseURL(raw)
	if err != nil {
		return err
	}
	a.hide(u)
	s, err := a.openExisting(ctx, u)
	if err != nil {
		return err
	}
	return closing(s, f(s))
}

// closing closes a backend after its use, which has ended with err.
func closing(s storage, err error) error {
	if closeErr := s.Close(); closeErr != nil {
		return errors.Join(err, closeErr)
	}
	return err
}

// openExisting opens a backend to read or change what is there: that nothing is there is an error.
func (a *app) openExisting(ctx context.Context, u backendurl.URL) (storage, error) {
	if u.Kind() == backendurl.SQLite {
		switch info, err := os.Stat(u.Path()); {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("there is no file %s: check the path; this command creates none", u.Path())
		case err != nil:
			return nil, err
		case info.IsDir():
			return nil, fmt.Errorf("%s is a folder: give the path of the file", u.Path())
		case info.Size() == 0:
			return nil, fmt.Errorf("the file %s is empty: it is no database of taskflow", u.Path())
		}
	}
	return a.openStorage(ctx, u, true)
}

// openStorage opens a backend, creating what is missing unless it must exist.
func (a *app) openStorage(ctx context.Context, u backendurl.URL, existing bool) (storage, error) {
	open := a.open[u.Kind()]
	if open == nil {
		return nil, fmt.Errorf("this build of the tool has no backend for %s", u.Kind())
	}
	s, err := open(u, a.logger(), existing)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", u, err)
	}
	if o, ok := s.(taskflow.Opener); ok {
		ctx, cancel := context.WithTimeout(ctx, openTimeout)
		defer cancel()
		if err := o.Open(ctx); err != nil {
			return nil, closing(s, fmt.Errorf("open %s: %w", u, err))
		}
	}
	return s, nil
}

// logger prints what backends warn of: rows that cannot be read, for example.
func (a *app) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{
		Level: slog.LevelWarn,
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			if len(groups) == 0 && attr.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return attr
		},
	}))
}
