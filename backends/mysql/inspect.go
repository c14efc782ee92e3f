package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// inspect asks the server what it is.
func (d *database) inspect(ctx context.Context, cfg config) error {
	var (
		version, charset string
		packet           int64
		name             sql.NullString
	)
	const ask = "SELECT version(), @@max_allowed_packet, @@character_set_connection, database()"
	if err := d.db.QueryRowContext(ctx, ask).Scan(&version, &packet, &charset, &name); err != nil {
		return err
	}
	collation, err := collationOf(version)
	switch {
	case err != nil:
		return err
	case !name.Valid:
		return fmt.Errorf("%w: the connections use no database: name one", taskflow.ErrInvalidOption)
	case charset != "utf8mb4":
		return fmt.Errorf("%w: the character set of the connections is %s: it must be utf8mb4, the driver's default", taskflow.ErrInvalidOption, charset)
	}
	d.name = name.String
	d.dialect = newDialect(cfg.Prefix, collation, int(packet))
	return nil
}

// collationOf returns the collation that compares bytes, trailing spaces too, of a server that is new enough.
func collationOf(version string) (string, error) {
	if strings.Contains(version, "MariaDB") {
		if !atLeast(version, 10, 6, 0) {
			return "", fmt.Errorf("%w: it is %s, at least MariaDB 10.6 is needed", ErrOldServer, version)
		}
		return "utf8mb4_nopad_bin", nil
	}
	if !atLeast(version, 8, 0, 17) {
		return "", fmt.Errorf("%w: it is MySQL %s, at least 8.0.17 is needed", ErrOldServer, version)
	}
	return "utf8mb4_0900_bin", nil
}

// atLeast compares the numbers that a version begins with.
func atLeast(version string, least ...int) bool {
	digits := strings.FieldsFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	for i, want := range least {
		if i >= len(digits) {
			return false
		}
		if got, err := strconv.Atoi(digits[i]); err != nil || got != want {
			return err == nil && got > want
		}
	}
	return true
}
