package postgres

import (
	"embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
)

// schemaFiles holds what leads to each version from the one before. New tables go through all of them, so that they have exactly
// the schema of migrated ones. A published step is never changed.
//
//go:embed schema/*.sql
var schemaFiles embed.FS

// dialect is PostgreSQL's SQL, with the tables of one schema and prefix.
type dialect struct {
	schema, prefix string
	names          *strings.Replacer
}

var _ sqlstore.Dialect = (*dialect)(nil)

// indexes are the names in the schema scripts that are no tables.
var indexes = []string{"history_status", "history_name", "history_source", "tag_key", "tag_value", "pending_owner", "key_expires"}

// clock is the server's clock, which goes on within a transaction.
const clock = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000"

// owners goes from one owner to the next in the index. DISTINCT would read all of it.
const owners = `(WITH RECURSIVE found (owner) AS (
		SELECT min(owner) FROM {pending}
		UNION ALL
		SELECT (SELECT min(p.owner) FROM {pending} p WHERE p.owner > found.owner) FROM found WHERE found.owner IS NOT NULL
	) SELECT owner FROM found WHERE owner IS NOT NULL)`

func newDialect(schema, prefix string) *dialect {
	pairs := []string{"{now}", "(" + clock + ")", "{join}", "JOIN", "{by owner}", "", "{free order}", "h.owner, h.id"}
	pairs = append(pairs, "{owners}", strings.ReplaceAll(owners, "{pending}", quote(schema)+"."+quote(prefix+"pending")))
	for _, table := range sqlstore.TableNames() {
		pairs = append(pairs, "{"+table+"}", quote(schema)+"."+quote(prefix+table))
	}
	for _, index := range indexes { // in the schema of their tables
		pairs = append(pairs, "{"+index+"}", quote(prefix+index))
	}
	return &dialect{schema, prefix, strings.NewReplacer(pairs...)}
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// channel is what instances listen on. It is a name of the database, not of a schema.
func (d *dialect) channel() string { return d.prefix + "changed" }

func (d *dialect) Statement(sql string) string { return number(d.names.Replace(sql)) }

// number replaces question marks by $1, $2, …. No statement has one in a text.
func number(sql string) string {
	var b strings.Builder
	b.Grow(len(sql) + 32)
	for n := 1; ; n++ {
		before, after, found := strings.Cut(sql, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		sql = after
	}
}

func (d *dialect) Schema(version int) (script string, ok bool) {
	b, err := schemaFiles.ReadFile(fmt.Sprintf("schema/%d.sql", version))
	return string(b), err == nil
}

func (d *dialect) Columns(tables []string) sqlstore.Fragment {
	const sql = `SELECT substr(c.relname, $1), a.attname FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE n.nspname = $2 AND c.relname = ANY($3) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = d.prefix + t
	}
	return sqlstore.Fragment{SQL: sql, Args: []any{int64(len(d.prefix) + 1), d.schema, names}}
}

func (d *dialect) In(column string, list any) sqlstore.Fragment {
	return sqlstore.Fragment{SQL: column + " = ANY(?)", Args: []any{list}}
}

func (d *dialect) CountsReplaced() bool { return true }

func (d *dialect) Contains(column string, part []byte) sqlstore.Fragment {
	return sqlstore.Fragment{SQL: "position(?::bytea IN " + column + ") > 0", Args: []any{part}}
}

func (d *dialect) Unindexed(column string) string { return column + " || ''" }

// Walk asks for an order that only the index has which begins with the columns: NULLS LAST, though no id is NULL. With the usual
// order the planner may prefer to walk the primary key, in the hope of an early hit.
func (d *dialect) Walk(w sqlstore.Walk, low, high sqlstore.ID) sqlstore.Range {
	id := w.Alias + ".id"
	r := sqlstore.Range{From: "{" + w.Table + "} " + w.Alias, Order: id + " DESC"}
	for _, c := range w.Columns {
		r.Where.SQL += w.Alias + "." + c + " = ? AND "
		r.Order = id + " DESC NULLS LAST"
	}
	r.Where.SQL += id + " <= ? AND " + id + " >= ?"
	r.Where.Args = append(append([]any{}, w.Values...), high, low)
	return r
}

func (d *dialect) Notify() string { return "SELECT pg_notify('" + d.channel() + "', '')" }

func (d *dialect) Kind(err error) sqlstore.Kind { return kind(err) }
