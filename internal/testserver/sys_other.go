//go:build !unix

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

func accountFor([]string) (*account, error) {
	return nil, errors.New("private servers are started on Unix only; do without these tests: " + skipVariable + "=redis,postgres,mariadb")
}

func runAs(*exec.Cmd, *account) {}

func children(int) ([]int, error) { return nil, errors.ErrUnsupported }
