//go:build unix

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
		a := &account{name: name}
		if a.uid, err = strconv.Atoi(u.Uid); err != nil {
			return nil, err
		}
		if a.gid, err = strconv.Atoi(u.Gid); err != nil {
			return nil, err
		}
		return a, nil
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
