//go:build !linux

package fault

import "syscall"

// orphanless does nothing here: a killed test leaves its services behind.
func orphanless() *syscall.SysProcAttr { return nil }
