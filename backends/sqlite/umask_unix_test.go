//go:build unix

package sqlite_test

import (
	"os"
	"syscall"
	"testing"
)

// Not parallel: the umask is the process's.
func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	for _, mask := range []int{0, 0o077, 0o277} {
		func() {
			defer syscall.Umask(syscall.Umask(mask))
			path := tempFile(t)
			b := opened(t, path)
			save(t, b, record(1))
			join(t, b, "one")
			for _, suffix := range []string{"", "-wal", "-shm", ".lock", ".one.lock"} {
				info, err := os.Stat(path + suffix)
				if err != nil {
					t.Error(err)
				} else if info.Mode().Perm() != 0o600 {
					t.Errorf("umask %o: %s has mode %o, want 600", mask, info.Name(), info.Mode().Perm())
				}
			}
		}()
	}
}
