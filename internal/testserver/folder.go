package testserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const (
	folderPrefix = "taskflow-server-"
	lockName     = "owner.lock"
)

// folder is a temporary folder for one server. This process and those of the server hold the lock of a file in it: when they have
// all been killed the next one that needs a folder sees that this one was left behind.
type folder struct {
	path string
	lock *os.File
}

// newFolder creates a folder that only the account can look into. It is not that of t.TempDir, which another account cannot
// reach, and whose path may be longer than the 104 bytes that the path of a socket may have.
func newFolder(a *account) (*folder, error) {
	parent, err := tempFolder(a)
	if err != nil {
		return nil, err
	}
	sweep(parent)
	path, err := os.MkdirTemp(parent, folderPrefix)
	if err != nil {
		return nil, err
	}
	f := &folder{path: path}
	if err := f.claim(a); err != nil {
		return nil, errors.Join(err, f.remove())
	}
	return f, nil
}

// claim locks the file before it has the name by which others look for it.
func (f *folder) claim(a *account) error {
	name := filepath.Join(f.path, lockName)
	var err error
	if f.lock, err = os.OpenFile(name+".new", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return err
	}
	if err := tryLock(f.lock); err != nil {
		return fmt.Errorf("lock %s: %w", f.lock.Name(), err)
	}
	if err := os.Rename(f.lock.Name(), name); err != nil {
		return err
	}
	return a.own(f.path)
}

func (f *folder) remove() error {
	err := os.RemoveAll(f.path)
	if f.lock != nil {
		err = errors.Join(err, f.lock.Close())
	}
	return err
}

// sweep removes the folders of processes that were killed. What cannot be looked at or removed is somebody else's, and stays.
func sweep(parent string) {
	locks, err := filepath.Glob(filepath.Join(parent, folderPrefix+"*", lockName))
	if err != nil {
		return
	}
	for _, name := range locks {
		lock, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		left := &folder{path: filepath.Dir(name), lock: lock}
		if tryLock(lock) == nil {
			_ = removeSegment(left.path, true)
			_ = left.remove()
		} else {
			_ = lock.Close()
		}
	}
}

// tempFolder returns a folder for temporary files whose parents the account may pass.
func tempFolder(a *account) (string, error) {
	candidates := []string{os.TempDir(), "/tmp", "/var/tmp"}
	for _, c := range candidates {
		if dir, err := filepath.EvalSymlinks(c); err == nil && (a == nil || passable(dir)) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("none of %q can be used by the account of the server", candidates)
}

// passable reports whether everybody may go through a folder and those above it.
func passable(dir string) bool {
	for {
		if info, err := os.Stat(dir); err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		up := filepath.Dir(dir)
		if up == dir {
			return true
		}
		dir = up
	}
}
