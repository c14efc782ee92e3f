package mysql

import (
	"embed"
	"fmt"
	"strings"

	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
)

// schemaFiles holds what leads to each version from the one before. New tables go through all of them, so that they have exactly
// the schema of migrated ones. A published step is never changed. The server commits each statement, so that a step may be
// interrupted: run again, it must go on.
//
//go:embed schema/*.sql
var schemaFiles embed.FS

// dialect is the SQL that MySQL and MariaDB have in common, with the tables of one prefix.
type dialect struct {
	prefix string
	packet int // bytes that a statement may have
	names  *strings.Replacer
}

var _ sqlstore.Dialect = (*dialect)(nil)

// clock is the time of the statement. It knows of no time zones, and so of no hour that comes twice a year.
const clock = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) * 1000"

// newDialect takes the collation of new tables: one that compares bytes, and for which "a" is not "a ", as it is for utf8mb4_bin.
func newDialect(prefix, collation string, packet int) *dialect {
	pairs := []string{
		"{now}", "(" + clock + ")", "{join}", "STRAIGHT_JOIN", "{by owner}", " FORCE INDEX (pending_owner)",
		"{free order}", "h.id", // with the owner, which is NULL in all of them, MariaDB reads, locks and sorts all
		"{owners}", "(SELECT DISTINCT owner FROM `" + prefix + "pending` WHERE owner IS NOT NULL)", // goes from one owner to the next by itself
		"{options}", "ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = " + collation,
	}
	for _, table := range sqlstore.TableNames() {
		pairs = append(pairs, "{"+table+"}", "`"+prefix+table+"`")
	}
	return &dialect{prefix, packet, strings.NewReplacer(pairs...)}
}

func (d *dialect) Statement(sql string) string { return d.names.Replace(sql) }

func (d *dialect) Schema(version int) (script string, ok bool) {
	b, err := schemaFiles.ReadFile(fmt.Sprintf("schema/%d.sql", version))
	return string(b), err == nil
}

func (d *dialect) Columns(tables []string) sqlstore.Fragment {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = d.prefix + t
	}
	in := d.In("table_name", names)
	const sql = "SELECT substr(table_name, ?), column_name FROM information_schema.columns WHERE table_schema = database() AND "
	return sqlstore.Fragment{SQL: sql + in.SQL, Args: append([]any{int64(len(d.prefix) + 1)}, in.Args...)}
}

// maxList is how long a list is at most: MariaDB makes a subquery of one with a thousand values, in place of a look into the index.
const maxList = 900

func (d *dialect) In(column string, list any) sqlstore.Fragment {
	var args []any
	switch list := list.(type) {
	case []sqlstore.ID:
		args = anys(list)
	case []string:
		args = anys(list)
	case [][]byte:
		args = anys(list)
	}
	var lists []string
	for rest := len(args); rest > 0; rest -= maxList {
		lists = append(lists, column+" IN ("+marks(min(rest, maxList))+")")
	}
	if len(lists) == 0 {
		return sqlstore.Fragment{SQL: "FALSE"}
	}
	return sqlstore.Fragment{SQL: "(" + strings.Join(lists, " OR ") + ")", Args: args}
}

func anys[T any](list []T) []any {
	args := make([]any, len(list))
	for i, v := range list {
		args[i] = v
	}
	return args
}

// marks is n question marks.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// Contains compares bytes, because the columns it is for hold bytes.
func (d *dialect) Contains(column string, part []byte) sqlstore.Fragment {
	return sqlstore.Fragment{SQL: "locate(?, " + column + ") > 0", Args: []any{part}}
}

// Unindexed has nothing to do: Walk says which index is used.
func (d *dialect) Unindexed(column string) string { return column }

// CountsReplaced implements [sqlstore.Dialect]: the server counts a replaced row twice, and one that stays as it was not at all.
func (d *dialect) CountsReplaced() bool { return false }

func (d *dialect) Walk(w sqlstore.Walk, low, high sqlstore.ID) sqlstore.Range {
	id, index := w.Alias+".id", w.Index
	if index == "" {
		index = "PRIMARY"
	}
	r := sqlstore.Range{From: "{" + w.Table + "} " + w.Alias + " FORCE INDEX (`" + index + "`)", Order: id + " DESC"}
	for _, c := range w.Columns {
		r.Where.SQL += w.Alias + "." + c + " = ? AND "
	}
	r.Where.SQL += id + " <= ? AND " + id + " >= ?"
	r.Where.Args = append(append([]any{}, w.Values...), high, low)
	return r
}

// Notify implements [sqlstore.Dialect]: there are no notifications, instances poll.
func (d *dialect) Notify() string { return "" }

func (d *dialect) Kind(err error) sqlstore.Kind { return kind(err) }
