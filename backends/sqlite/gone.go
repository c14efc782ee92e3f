package sqlite

import (
	"fmt"
	"io/fs"
	"os"
)

// The operating system lets a process go on writing to a file that has been deleted or moved away, and drops what it wrote when the process
// ends. So each write makes sure, before and after, that the path still names the file that was opened.

// identify remembers which file the path names, once it has been opened.
func (db *database) identify() (err error) {
	db.file, err = os.Stat(db.path)
	return err
}

// present is ErrGone when the path names no file, or another one.
func (db *database) present() error {
	now, err := os.Stat(db.path)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrGone, err)
	case !os.SameFile(now, db.file):
		return fmt.Errorf("%w: there is another file at its path (%w)", ErrGone, fs.ErrInvalid)
	}
	return nil
}
