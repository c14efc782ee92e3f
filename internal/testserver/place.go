package testserver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
)

// account is whom a server runs as.
type account struct {
	name     string
	uid, gid int
}

// own gives a file to the account; without one it is left as it is.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// newDir creates a folder for one server that only its account can look into. It is not t.TempDir, which another account
// cannot reach, and whose path may be longer than the 104 bytes that the path of a socket may have.
func newDir(a *account) (string, error) {
	parent, err := tempFolder(a)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(parent, "taskflow-")
	if err != nil {
		return "", err
	}
	if err := a.own(dir); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

// tempFolder returns a folder for temporary files whose parents the account may pass.
func tempFolder(a *account) (string, error) {
	candidates := []string{os.TempDir(), "/tmp", "/var/tmp"}
	for _, c := range candidates {
		dir, err := filepath.EvalSymlinks(c)
		if err != nil {
			continue
		}
		if a == nil || passable(dir) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("user %s can reach none of %q", a.name, candidates)
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

// freePort returns a port of 127.0.0.1 that nobody listens on. It lies below those that the kernel gives to outgoing
// connections (from 32768 on Linux, 49152 on macOS). With one of these a client that calls a stopped server could get it
// for its own end and be connected to itself; and a server could not have it again while any connection uses it.
func freePort(ctx context.Context) (int, error) {
	var err error
	for range 100 {
		port := 12000 + rand.IntN(18000)
		var l net.Listener
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("no free port of 127.0.0.1 in 100 attempts: %w", err)
}
