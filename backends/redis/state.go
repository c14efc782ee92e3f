package redis

import (
	"context"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// PutState implements [taskflow.StateStore].
func (b *Backend) PutState(ctx context.Context, name string, value []byte) error {
	return b.use(ctx, "put state", func(c *connection) error {
		if err := taskflow.CheckState(name, value); err != nil {
			return err
		}
		_, err := c.run(ctx, scriptPutState, name, filled(value))
		return err
	})
}

// filled is never nil, which is no argument.
func filled(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// State implements [taskflow.StateStore].
func (b *Backend) State(ctx context.Context, name string) (value []byte, err error) {
	err = b.use(ctx, "state", func(c *connection) error {
		reply, err := c.run(ctx, scriptState, name)
		if err != nil {
			return err
		}
		found := list(reply)
		if len(found) == 0 {
			return fmt.Errorf("%w: no state %.100q", taskflow.ErrNotFound, name)
		}
		value = []byte(text(found[0]))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return value, nil
}

// States implements [taskflow.StateStore].
func (b *Backend) States(ctx context.Context, prefix string) (map[string][]byte, error) {
	found := map[string][]byte{}
	err := b.use(ctx, "states", func(c *connection) error {
		reply, err := c.run(ctx, scriptStates, prefix)
		for rows := list(reply); len(rows) >= 2; rows = rows[2:] {
			found[text(rows[0])] = []byte(text(rows[1]))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// DeleteState implements [taskflow.StateStore].
func (b *Backend) DeleteState(ctx context.Context, name string) error {
	return b.use(ctx, "delete state", func(c *connection) error {
		_, err := c.run(ctx, scriptDeleteState, name)
		return err
	})
}
