//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package testserver

import (
	"errors"
	"os"
	"os/exec"
)

// These signals do not exist here.
const (
	sigTerm = noSignal("SIGTERM")
	sigKill = noSignal("SIGKILL")
	sigStop = noSignal("SIGSTOP")
	sigCont = noSignal("SIGCONT")
)

type noSignal string

func (noSignal) Signal()          {}
func (s noSignal) String() string { return string(s) }

var _ os.Signal = sigTerm

type account struct{}

func (*account) own(string) error { return nil }

func accountFor([]string) (*account, error) {
	return nil, errors.New("private servers are started on Linux, macOS and BSD only; do without these tests: " + skipVariable + "=redis,postgres,mariadb")
}

func runAs(*exec.Cmd, *account) {}

func children(int) ([]int, error) { return nil, errors.ErrUnsupported }

func tryLock(*os.File) error { return errors.ErrUnsupported }

func abandoned(string, string, bool) (bool, error) { return false, nil }
