package sqlite

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/gofrs/flock"
)

// Each instance that has joined holds a lock on a file of its own beside the database, which the kernel frees when the process dies,
// however it dies. Files are made, asked and removed within write transactions only, so that nobody locks one that another removes.

// instanceFile returns the name of an instance's file. Ids of managers are used as they are, others by their hash: they may contain anything.
func (db *database) instanceFile(id string) string {
	if len(id) > 64 || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyz-") != "" {
		hash := sha256.Sum256([]byte(id))
		id = hex.EncodeToString(hash[:16])
	}
	return db.path + "." + id + ".lock"
}

// lockInstance locks the file of an instance. It reports whether somebody holds that lock: this handle, or another one through which the
// instance has joined. Without locks on the file system nobody does, and only the lease counts.
func (db *database) lockInstance(id string) (locked bool, err error) {
	if db.joined[id] != nil {
		return true, nil
	}
	if db.lock == nil {
		return false, nil
	}
	name := db.instanceFile(id)
	if err := createPrivate(name); err != nil {
		return false, err
	}
	lock := flock.New(name, flock.SetPermissions(0o600))
	got, err := lock.TryLock()
	switch {
	case err == nil && got:
		db.joined[id] = lock
		return true, nil
	case err == nil:
		return true, lock.Close()
	case cannotLock(err):
		return false, errors.Join(lock.Close(), remove(name))
	}
	return false, errors.Join(cannotWrite(err), lock.Close())
}

// isDead reports whether nobody holds the lock of an instance, and removes the file then. When that cannot be told, it is not.
func (db *database) isDead(id string) (bool, error) {
	name := db.instanceFile(id)
	if _, err := os.Stat(name); err != nil {
		return errors.Is(err, fs.ErrNotExist), nil //nolint:nilerr // what cannot be asked is taken for alive
	}
	lock := flock.New(name, flock.SetPermissions(0o600))
	got, err := lock.TryLock()
	if err != nil || !got {
		return false, lock.Close() //nolint:nilerr // the same
	}
	return true, errors.Join(lock.Close(), remove(name))
}

// unlockInstance gives up the lock of an instance that joined through this handle.
func (db *database) unlockInstance(id string) error {
	lock := db.joined[id]
	if lock == nil {
		return nil
	}
	delete(db.joined, id)
	return errors.Join(lock.Close(), remove(lock.Path()))
}

func remove(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
