package backendtest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// untested is what a run could not test, and why. Safe for concurrent use: Open may make the subtests parallel.
type untested struct {
	mu      sync.Mutex
	reasons []string // in the order of the topics
	topics  map[string]int
}

func (u *untested) add(reason string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !slices.Contains(u.reasons, reason) {
		u.reasons = append(u.reasons, reason)
	}
	if u.topics == nil {
		u.topics = map[string]int{}
	}
	u.topics[reason]++
}

// String is the list for the end of a run, a line for each reason; empty when everything was tested.
func (u *untested) String() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.reasons) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("of the optional, this was not tested (a line with the number of topics for each reason):")
	for _, reason := range u.reasons {
		fmt.Fprintf(&b, "\n%s: %d", reason, u.topics[reason])
	}
	return b.String()
}

// skip ends a topic that cannot be tested.
func (k *kit) skip(reason string) {
	k.Helper()
	k.untested.add(reason)
	k.Skipf("not tested: %s", reason)
}

// The reasons that the harness gives; backends give those that a topic needs.
const (
	noReopen = "the Harness has no Reopen"
	noOther  = "the Harness has no Other"
)
