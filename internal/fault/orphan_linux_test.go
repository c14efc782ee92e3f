package fault

import "syscall"

// orphanless lets a service die with the test that started it.
func orphanless() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
