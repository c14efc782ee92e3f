package sqlstore

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// versionRow is the row of the table meta that says which schema the tables have; messageRow counts messages.
const (
	versionRow = "schema"
	messageRow = "message"
)

// migrate creates the tables, or brings those of an older version to this one's schema. Several that do it at once do it one
// after the other.
func (s *session) migrate(ctx context.Context) error {
	return s.db.Exclusive(ctx, func(tx Tx) error {
		version, err := s.version(ctx, tx)
		if err != nil {
			return err
		}
		latest := s.latest()
		if version == 0 && s.cfg.Existing {
			return ErrNoData
		}
		if version > latest {
			return fmt.Errorf("%w (their schema has version %d, this program knows up to %d)", ErrNewerSchema, version, latest)
		}
		if version > 0 && version < latest {
			s.cfg.Log.Info("taskflow: migrating the tables", slog.String("backend", s.cfg.Package), slog.String("server", s.cfg.Target()),
				slog.Int("from", version), slog.Int("to", latest))
		}
		for ; version < latest; version++ {
			if err := s.step(ctx, tx, version+1); err != nil {
				return fmt.Errorf("migrate the schema from version %d: %w", version, err)
			}
		}
		if err := s.checkColumns(ctx, tx); err != nil {
			return err
		}
		// a server that only reads says so here, not at the first task
		_, err = s.exec(ctx, tx, "UPDATE {meta} SET value = value WHERE name = ?", versionRow)
		return err
	})
}

func (s *session) latest() (version int) {
	for {
		if _, ok := s.dialect.Schema(version + 1); !ok {
			return version
		}
		version++
	}
}

// step runs the script that leads to a version.
func (s *session) step(ctx context.Context, tx Tx, version int) error {
	script, _ := s.dialect.Schema(version)
	for statement := range strings.SplitSeq(script, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := tx.Exec(ctx, s.dialect.Statement(statement)); err != nil {
			return err
		}
	}
	s.insert(ctx, tx, metaTable, Conflict{Key: []string{"name"}, Set: []string{"value"}}, []any{versionRow, int64(version)})
	s.insert(ctx, tx, metaTable, Conflict{Key: []string{"name"}}, []any{messageRow, int64(0)})
	return nil
}

// version returns the version of the tables, 0 if there are none, and refuses tables that are not ours.
func (s *session) version(ctx context.Context, tx Tx) (version int, err error) {
	found, err := s.columns(ctx, tx)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	if meta, ok := found[metaTable.Name]; !ok || !hasAll(meta, metaTable) {
		for _, t := range tables() {
			if _, ok := found[t.Name]; ok {
				return 0, s.foreign(t)
			}
		}
	}
	err = s.queryTx(ctx, tx, "SELECT value FROM {meta} WHERE name = ?", []any{versionRow}, func(row Row) error {
		var v int64
		err := row.Scan(&v)
		version = int(v)
		return err
	})
	return version, err
}

func (s *session) checkColumns(ctx context.Context, tx Tx) error {
	found, err := s.columns(ctx, tx)
	if err != nil {
		return err
	}
	for _, t := range tables() {
		if !hasAll(found[t.Name], t) {
			return s.foreign(t)
		}
	}
	return nil
}

func (s *session) foreign(t *Table) error {
	return fmt.Errorf("%w (table %s)", ErrForeign, s.dialect.Statement("{"+t.Name+"}"))
}

// columns returns the columns of the tables that exist, by table.
func (s *session) columns(ctx context.Context, tx Tx) (map[string][]string, error) {
	var names []string
	for _, t := range tables() {
		names = append(names, t.Name)
	}
	ask := s.dialect.Columns(names)
	found := map[string][]string{}
	err := tx.Query(ctx, ask.SQL, ask.Args, func(row Row) error {
		var table, column string
		if err := row.Scan(&table, &column); err != nil {
			return err
		}
		found[table] = append(found[table], column)
		return nil
	})
	return found, err
}

// hasAll reports whether the columns are those of the table; others may be among them.
func hasAll(columns []string, t *Table) bool {
	return !slices.ContainsFunc(t.Columns, func(c Column) bool { return !slices.Contains(columns, c.Name) })
}
