package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// lockRetry is how often a lock is asked for again while another process opens the file.
const lockRetry = 5 * time.Millisecond

// acquireLock tries to be the only one that has the file open, by an exclusive lock on a file beside it that the kernel
// frees when a process dies, however it dies. If it succeeds, every owner of a pending task is dead. Without locks (some network
// file systems) owners are taken for alive.
func (db *database) acquireLock(ctx context.Context, path string) (alone bool, err error) {
	name := path + ".lock"
	if err := createPrivate(name); err != nil {
		return false, err
	}
	// SQLite's own error for a file system that cannot be written does not say so
	if f, err := os.OpenFile(name, os.O_RDWR, 0); err != nil {
		return false, cannotWrite(err)
	} else if err := f.Close(); err != nil {
		return false, err
	}
	lock := flock.New(name, flock.SetPermissions(0o600))
	alone, err = lock.TryLock()
	switch {
	case err == nil:
		db.lock = lock
		return alone, ctx.Err()
	case cannotLock(err):
		db.cfg.log.Warn("sqlite: the file system has no locks, so that tasks of a process that died stay with it until they are freed by hand",
			slog.String("file", name), slog.Any("error", err))
		return false, lock.Close()
	}
	return false, errors.Join(cannotWrite(err), lock.Close())
}

// shareLock keeps the lock, shared, until close: whoever opens the file meanwhile sees that it is not alone.
func (db *database) shareLock(ctx context.Context) error {
	if db.lock == nil {
		return nil
	}
	// refused only for as long as another process holds the lock exclusively, that is while it opens the file
	_, err := db.lock.TryRLockContext(ctx, lockRetry)
	return err
}

func cannotLock(err error) bool {
	return errors.Is(err, syscall.ENOLCK) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS)
}

// cannotWrite marks the errors of the operating system that mean ErrReadOnly or ErrFull.
func cannotWrite(err error) error {
	switch {
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return errors.Join(ErrReadOnly, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return errors.Join(ErrFull, err)
	}
	return err
}
