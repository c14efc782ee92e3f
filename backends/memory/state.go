package memory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// PutState implements [taskflow.StateStore].
func (b *Backend) PutState(ctx context.Context, name string, value []byte) error {
	leave, err := b.enter(ctx, "put state")
	if err != nil {
		return err
	}
	defer leave()
	if err := taskflow.CheckState(name, value); err != nil {
		return fmt.Errorf("memory: put state: %w", err)
	}
	b.states[name] = append([]byte{}, value...)
	return nil
}

// State implements [taskflow.StateStore].
func (b *Backend) State(ctx context.Context, name string) ([]byte, error) {
	leave, err := b.enter(ctx, "state")
	if err != nil {
		return nil, err
	}
	defer leave()
	value, ok := b.states[name]
	if !ok {
		return nil, fmt.Errorf("memory: state %.100q: %w", name, taskflow.ErrNotFound)
	}
	return slices.Clone(value), nil
}

// States implements [taskflow.StateStore].
func (b *Backend) States(ctx context.Context, prefix string) (map[string][]byte, error) {
	leave, err := b.enter(ctx, "states")
	if err != nil {
		return nil, err
	}
	defer leave()
	found := map[string][]byte{}
	for name, value := range b.states {
		if strings.HasPrefix(name, prefix) {
			found[name] = slices.Clone(value)
		}
	}
	return found, nil
}

// DeleteState implements [taskflow.StateStore].
func (b *Backend) DeleteState(ctx context.Context, name string) error {
	leave, err := b.enter(ctx, "delete state")
	if err != nil {
		return err
	}
	defer leave()
	delete(b.states, name)
	return nil
}
