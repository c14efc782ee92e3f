package service

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

func TestATakenAddressNamesTheFlag(t *testing.T) {
	t.Parallel()
	taken := fmt.Errorf("address localhost:8080 is taken: %w", syscall.EADDRINUSE)
	if err := advise(taken); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "-addr localhost:8081") {
		t.Errorf("the error %q does not say which flag helps", err)
	}
	if err := advise(syscall.EACCES); !errors.Is(err, syscall.EACCES) || strings.Contains(err.Error(), "-addr") {
		t.Errorf("another error became %q", err)
	}
}
