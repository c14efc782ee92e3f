package postgres

import (
	"context"
	"fmt"

	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
	taskflow "github.com/taskflow-go/taskflow/core"
)

// oldest is the oldest server that is supported, as it numbers its versions.
const oldest = 130000

// inspect asks the server what it is, and finds the schema of the tables.
func (d *database) inspect(ctx context.Context, cfg config) error {
	var (
		version        int64
		name, encoding string
		schema         *string
	)
	const ask = `SELECT current_setting('server_version_num')::bigint, current_setting('server_version'), current_setting('server_encoding'), current_schema()::text`
	if err := d.pool.QueryRow(ctx, ask).Scan(&version, &name, &encoding, &schema); err != nil {
		return err
	}
	switch {
	case version < oldest:
		return fmt.Errorf("%w: it is PostgreSQL %s, at least 13 is needed", ErrOldServer, name)
	case encoding != "UTF8":
		return fmt.Errorf("%w (it is %s)", ErrEncoding, encoding)
	case cfg.schema != "":
		schema = &cfg.schema
	case schema == nil:
		return fmt.Errorf("%w: the search path of the user names no schema that exists: give one by Schema", taskflow.ErrInvalidOption)
	}
	d.dialect = newDialect(*schema, cfg.Prefix)
	if cfg.Existing {
		return nil
	}
	return d.createSchema(ctx, cfg.schema)
}

// createSchema creates the schema that an option names. Two programs may do it at once.
func (d *database) createSchema(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	return d.Exclusive(ctx, func(t sqlstore.Tx) error {
		exists := false
		err := t.Query(ctx, "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1)", []any{name}, func(row sqlstore.Row) error {
			return row.Scan(&exists)
		})
		if err == nil && !exists {
			_, err = t.Exec(ctx, "CREATE SCHEMA "+quote(name))
		}
		if err != nil {
			return fmt.Errorf("create the schema %s: %w", name, err)
		}
		return nil
	})
}
