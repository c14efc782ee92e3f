package sqlite

import (
	"context"
	"database/sql/driver"
	"embed"
	"fmt"
	"log/slog"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const (
	// schemaVersion is the schema of this package; PRAGMA user_version of a file says which it has.
	schemaVersion = 4
	// applicationID is "tkfl" in ASCII; PRAGMA application_id of our files.
	applicationID = 0x746b666c
)

// schemaFiles holds what leads to each version from the one before. A new file goes through all of them, so that it has
// exactly the schema of a migrated one. A published step is never changed.
//
//go:embed schema/*.sql
var schemaFiles embed.FS

// checkVersion returns the schema version of the file, 0 if it is new, and refuses files that are not ours.
func checkVersion(ctx context.Context, c *conn) (int64, error) {
	application, _, err := c.number(ctx, "PRAGMA application_id")
	if err != nil {
		return 0, err
	}
	version, _, err := c.number(ctx, "PRAGMA user_version")
	if err != nil {
		return 0, err
	}
	tables, _, err := c.number(ctx, "SELECT count(*) FROM sqlite_schema")
	switch {
	case err != nil:
		return 0, err
	case application == 0 && version == 0 && tables == 0:
		return 0, nil
	case application != applicationID:
		return 0, fmt.Errorf("%w (application_id %d, %d tables and indexes)", ErrForeign, application, tables)
	case version > schemaVersion:
		return 0, fmt.Errorf("%w (its schema has version %d, this program knows up to %d)", ErrNewerSchema, version, schemaVersion)
	}
	return version, nil
}

// migrate brings the schema from version to schemaVersion in one transaction.
func migrate(ctx context.Context, c *conn, version int64, path string, log *slog.Logger) error {
	if version == schemaVersion {
		return nil
	}
	return c.transaction(ctx, func() error {
		// another process may have been faster
		version, err := checkVersion(ctx, c)
		if err != nil || version == schemaVersion {
			return err
		}
		if version > 0 {
			log.Info("sqlite: migrating", slog.String("file", path), slog.Int64("from", version), slog.Int("to", schemaVersion))
		}
		for ; version < schemaVersion; version++ {
			step, err := schemaFiles.ReadFile(fmt.Sprintf("schema/%d.sql", version+1))
			if err != nil {
				return err
			}
			if err := c.script(ctx, string(step)); err != nil {
				return fmt.Errorf("migrate the schema from version %d: %w", version, err)
			}
			if version+1 == 2 {
				if err := countHistory(ctx, c); err != nil {
					return fmt.Errorf("migrate the schema from version %d: count the history: %w", version, err)
				}
			}
		}
		return c.script(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, schemaVersion))
	})
}

// countHistory fills the totals from the records.
func countHistory(ctx context.Context, c *conn) error {
	deltas := totals{}
	err := c.query(ctx, "SELECT status, start_time, end_time FROM history", nil, func(row []driver.Value) error {
		r := rowReader{row: row}
		record := taskflow.Record{Status: taskflow.Status(r.text()), StartTime: r.instant(), EndTime: r.instant()}
		deltas.add(&record, 1)
		return r.err
	})
	if err != nil {
		return err
	}
	return deltas.store(ctx, c)
}
