package taskflow

import (
	"context"
	"fmt"
)

// StateStore keeps small named values that all instances share and may change: that a schedule is paused, for example. The last
// writer wins.
type StateStore interface {
	// PutState stores a value of up to [MaxStateBytes] under a name of 1 to [MaxStateNameBytes] bytes, any bytes, replacing what
	// was there. Others are refused with ErrInvalidOption, see [CheckState]. A nil value is an empty one.
	PutState(ctx context.Context, name string, value []byte) error
	// State returns a value; ErrNotFound when there is none of that name.
	State(ctx context.Context, name string) ([]byte, error)
	// States returns all values whose names begin with prefix; an empty prefix is that of all.
	States(ctx context.Context, prefix string) (map[string][]byte, error)
	// DeleteState removes a value. Unknown names do nothing.
	DeleteState(ctx context.Context, name string) error
}

// What a [StateStore] takes.
const (
	MaxStateBytes     = 64 << 10
	MaxStateNameBytes = 255
)

// CheckState is for backends: it returns an error, which is ErrInvalidOption, for a name and a value that PutState refuses.
func CheckState(name string, value []byte) error {
	switch {
	case name == "" || len(name) > MaxStateNameBytes:
		return fmt.Errorf("%w: the name of a state has from 1 to %d bytes, not %d", ErrInvalidOption, MaxStateNameBytes, len(name))
	case len(value) > MaxStateBytes:
		return fmt.Errorf("%w: the state %.100q has %d bytes: at most %d", ErrInvalidOption, name, len(value), MaxStateBytes)
	}
	return nil
}
