//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package testserver

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

const (
	sigTerm = syscall.SIGTERM
	sigKill = syscall.SIGKILL
	sigStop = syscall.SIGSTOP
	sigCont = syscall.SIGCONT
)

// account is whom a server runs as.
type account struct {
	uid, gid int
}

// own gives a file to the account; without one it is left as it is.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// accountFor returns the first of names that this machine knows when this process is root, and nil otherwise.
func accountFor(names []string) (*account, error) {
	if os.Geteuid() != 0 || len(names) == 0 {
		return nil, nil
	}
	var err error
	for _, name := range names {
		var u *user.User
		if u, err = user.Lookup(name); err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		gid, err := strconv.Atoi(u.Gid)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &account{uid: uid, gid: gid}, nil
	}
	return nil, fmt.Errorf("it does not run as root, and none of these users exists: %s: %w", strings.Join(names, ", "), err)
}

// runAs lets cmd run as the account, and die with this process where the system can see to that.
func runAs(cmd *exec.Cmd, a *account) {
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	dieWithParent(cmd.SysProcAttr)
	if a != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
}

// tryLock takes the lock of a file, which is let go when the file is closed or the process ends. It fails when another has it.
func tryLock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
