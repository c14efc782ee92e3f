package backendtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func stateTopics() []topic {
	const needs = "StateStore"
	has := offers[taskflow.StateStore]
	return []topic{
		{name: "state/the last value is what all see", needs: needs, has: has, test: lastStateStays},
		{name: "state/any bytes are a name and a value", needs: needs, has: has, test: statesAreBytes},
		{name: "state/found by what the name begins with", needs: needs, has: has, test: statesByPrefix},
		{name: "state/what is too large is refused", needs: needs, has: has, test: largeStates},
		{name: "state/eight at once leave one of their values", needs: needs, has: has, test: statesAtOnce},
		{name: "state/survives a restart", needs: needs, has: has, test: stateSurvivesRestart},
	}
}

// stateIs compares a value; nil: there is to be none.
func (k *kit) stateIs(ctx context.Context, b taskflow.Backend, name string, want []byte) {
	k.Helper()
	got, err := b.(taskflow.StateStore).State(ctx, name)
	switch {
	case want == nil && !errors.Is(err, taskflow.ErrNotFound):
		k.Errorf("State(%.60q) returned %.60q, %v; want ErrNotFound", name, got, err)
	case want != nil && (err != nil || !bytes.Equal(got, want)):
		k.Errorf("State(%.60q) returned %.60q, %v; want %.60q", name, got, err, want)
	}
}

func (k *kit) putState(ctx context.Context, b taskflow.Backend, name string, value []byte) {
	k.Helper()
	k.must(b.(taskflow.StateStore).PutState(ctx, name, value), fmt.Sprintf("PutState(%.60q)", name))
}

func lastStateStays(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	k.stateIs(ctx, here, "paused", nil)
	k.putState(ctx, here, "paused", []byte("by ann"))
	k.stateIs(ctx, there, "paused", []byte("by ann"))
	k.putState(ctx, there, "paused", []byte("by bob"))
	k.stateIs(ctx, here, "paused", []byte("by bob"))
	k.putState(ctx, there, "paused", []byte("by bob")) // the same again
	k.stateIs(ctx, here, "paused", []byte("by bob"))
	k.must(here.(taskflow.StateStore).DeleteState(ctx, "paused"), "DeleteState")
	k.stateIs(ctx, there, "paused", nil)
	k.must(there.(taskflow.StateStore).DeleteState(ctx, "paused"), "DeleteState of what is not there")
	k.putState(ctx, there, "paused", nil)
	k.stateIs(ctx, here, "paused", []byte{})
}

// statesAreBytes: no two of these are the same name.
func statesAreBytes(k *kit) {
	b, ctx := k.start(), k.context()
	long := strings.Repeat("k", taskflow.MaxStateNameBytes-1)
	names := append(hostile(), "Null", "null ", " null", "é", "\x00", "a", "a\x00", "\xff\xfe", "\xff", long+"1", long+"2", "*", "[a]", "{a}")
	for i, name := range names {
		k.putState(ctx, b, name, fmt.Appendf(nil, "%d\x00\xff'\n%s", i, name))
	}
	for i, name := range names {
		k.stateIs(ctx, b, name, fmt.Appendf(nil, "%d\x00\xff'\n%s", i, name))
	}
	k.must(b.(taskflow.StateStore).DeleteState(ctx, "a"), "DeleteState")
	k.stateIs(ctx, b, "a", nil)
	k.stateIs(ctx, b, "a\x00", fmt.Appendf(nil, "%d\x00\xff'\n%s", indexOf(names, "a\x00"), "a\x00"))
	all, err := b.(taskflow.StateStore).States(ctx, "")
	k.must(err, "States")
	if len(all) != len(names)-1 {
		k.Errorf("States(\"\") returned %d values, want %d", len(all), len(names)-1)
	}
}

func indexOf(list []string, s string) int {
	for i := range list {
		if list[i] == s {
			return i
		}
	}
	return -1
}

func statesByPrefix(k *kit) {
	b, ctx := k.start(), k.context()
	for _, name := range []string{"a", "a/1", "a/2", "a/\xff", "a/\xff\xff", "A/1", "a0", "a%", "a_", "b/1", "\xff", "\xff\xff", "ä/1"} {
		k.putState(ctx, b, name, []byte("value of "+name))
	}
	for _, c := range []struct {
		prefix string
		want   []string
	}{
		{"a/", []string{"a/1", "a/2", "a/\xff", "a/\xff\xff"}},
		{"a/1", []string{"a/1"}},
		{"a/\xff", []string{"a/\xff", "a/\xff\xff"}},
		{"A", []string{"A/1"}},
		{"a%", []string{"a%"}},
		{"a_", []string{"a_"}},
		{"\xff", []string{"\xff", "\xff\xff"}},
		{"ä", []string{"ä/1"}},
		{"c", nil},
	} {
		got, err := b.(taskflow.StateStore).States(ctx, c.prefix)
		k.must(err, "States")
		for _, name := range c.want {
			if string(got[name]) != "value of "+name {
				k.Errorf("States(%q) returned %q for %q", c.prefix, got[name], name)
			}
		}
		if len(got) != len(c.want) {
			k.Errorf("States(%q) returned %d values (%q), want %q", c.prefix, len(got), got, c.want)
		}
	}
}

func largeStates(k *kit) {
	b, ctx := k.start(), k.context()
	largest := bytes.Repeat([]byte{0, 0xff, '\''}, taskflow.MaxStateBytes)[:taskflow.MaxStateBytes]
	k.putState(ctx, b, "largest", largest)
	k.stateIs(ctx, b, "largest", largest)
	long := strings.Repeat("n", taskflow.MaxStateNameBytes+1)
	for name, value := range map[string][]byte{"too large": append(largest, 0), "": nil, long: nil} {
		if err := b.(taskflow.StateStore).PutState(ctx, name, value); !errors.Is(err, taskflow.ErrInvalidOption) {
			k.Errorf("PutState(%.20q, %d bytes) returned %v, want ErrInvalidOption", name, len(value), err)
		}
	}
	k.stateIs(ctx, b, "too large", nil)
	k.stateIs(ctx, b, long, nil)
}

func statesAtOnce(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	var (
		wg  sync.WaitGroup
		bad [8]error
	)
	for i := range bad {
		s := []taskflow.Backend{here, there}[i%2].(taskflow.StateStore)
		wg.Go(func() {
			for n := 0; n < 20 && bad[i] == nil; n++ {
				bad[i] = errors.Join(s.PutState(ctx, "shared", fmt.Appendf(nil, "%d", i)), s.PutState(ctx, fmt.Sprintf("own %d", i), fmt.Appendf(nil, "%d", n)))
			}
		})
	}
	wg.Wait()
	for i, err := range bad {
		k.must(err, "PutState by one of eight")
		k.stateIs(ctx, here, fmt.Sprintf("own %d", i), []byte("19"))
	}
	got, err := here.(taskflow.StateStore).State(ctx, "shared")
	k.must(err, "State")
	if len(got) != 1 || got[0] < '0' || got[0] > '7' {
		k.Errorf("State returned %q, which none of eight has put", got)
	}
}

func stateSurvivesRestart(k *kit) {
	if k.reopen == nil {
		k.skip(noReopen)
	}
	b, ctx := k.start(), k.context()
	k.putState(ctx, b, "kept", []byte("value"))
	k.putState(ctx, b, "removed", []byte("value"))
	k.must(b.(taskflow.StateStore).DeleteState(ctx, "removed"), "DeleteState")
	k.must(b.Close(), "Close")
	b = k.opened(k.reopen(b))
	k.stateIs(ctx, b, "kept", []byte("value"))
	k.stateIs(ctx, b, "removed", nil)
}
