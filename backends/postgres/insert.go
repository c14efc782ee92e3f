package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
)

// maxStatement is how many bytes of values one statement carries; a larger one only costs memory.
const maxStatement = 16 << 20

// manyRows is from how many rows on columns are looked through for those with one value. With few rows that would save nothing,
// and make many different statements that are used once.
const manyRows = 64

// Insert passes each column as an array, so that few statements serve any number of rows: each is parsed and planned once. In large
// batches a column that has the same value in all rows is passed as that value; most have, and reading many arrays at once is what
// takes PostgreSQL longest.
func (d *dialect) Insert(t *sqlstore.Table, c sqlstore.Conflict, rows [][]any) (statements []sqlstore.Fragment) {
	for len(rows) > 0 {
		n := fitting(rows)
		statements = append(statements, d.insert(t, c, rows[:n]))
		rows = rows[n:]
	}
	return statements
}

func (d *dialect) insert(t *sqlstore.Table, c sqlstore.Conflict, rows [][]any) sqlstore.Fragment {
	var names, values, arrays, params []string
	var args []any
	for i, column := range t.Columns {
		names = append(names, column.Name)
		if i > 0 && len(rows) >= manyRows && constant(rows, i) {
			// the numbers are those of the parameters: they do not come in the order of the text
			args = append(args, rows[0][i])
			values = append(values, fmt.Sprintf("$%d::%s", len(args), types[column.Type]))
			continue
		}
		args = append(args, array(column.Type, rows, i))
		values = append(values, "a."+column.Name)
		arrays = append(arrays, column.Name)
		params = append(params, fmt.Sprintf("$%d::%s[]", len(args), types[column.Type]))
	}
	sql := "INSERT INTO {" + t.Name + "} AS t (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(values, ", ") +
		" FROM unnest(" + strings.Join(params, ", ") + ") AS a (" + strings.Join(arrays, ", ") + ")"
	return sqlstore.Fragment{SQL: d.names.Replace(sql) + onConflict(c), Args: args}
}

// constant reports whether a column has the same value in all rows.
func constant(rows [][]any, column int) bool {
	first := rows[0][column]
	if _, ok := first.([]byte); ok {
		return false
	}
	for _, row := range rows[1:] {
		if _, ok := row[column].([]byte); ok || row[column] != first {
			return false
		}
	}
	return true
}

func onConflict(c sqlstore.Conflict) string {
	if len(c.Key) == 0 {
		return ""
	}
	sql := " ON CONFLICT (" + strings.Join(c.Key, ", ") + ") DO "
	if len(c.Set)+len(c.Add) == 0 {
		return sql + "NOTHING"
	}
	var set []string
	for _, column := range c.Set {
		set = append(set, column+" = excluded."+column)
	}
	for _, column := range c.Add {
		set = append(set, column+" = t."+column+" + excluded."+column)
	}
	sql += "UPDATE SET " + strings.Join(set, ", ")
	if c.If != "" {
		sql += " WHERE " + strings.NewReplacer("{old}", "t", "{new}", "excluded").Replace(c.If)
	}
	return sql
}

// fitting is how many of the rows one statement carries, at least one.
func fitting(rows [][]any) int {
	size := 0
	for i, row := range rows {
		for _, v := range row {
			switch v := v.(type) {
			case string:
				size += len(v)
			case []byte:
				size += len(v)
			}
		}
		if size > maxStatement && i > 0 {
			return i
		}
	}
	return len(rows)
}

var types = map[sqlstore.Type]string{
	sqlstore.TypeID: "uuid", sqlstore.TypeText: "text", sqlstore.TypeInt: "bigint", sqlstore.TypeBytes: "bytea",
}

// array is a column of the rows, in the form that the driver encodes fastest: without NULLs where there are none.
func array(t sqlstore.Type, rows [][]any, column int) any {
	switch t {
	case sqlstore.TypeID:
		return arrayOf(rows, column, func(v any) [16]byte { return v.(sqlstore.ID) })
	case sqlstore.TypeText:
		if !hasNull(rows, column) {
			return arrayOf(rows, column, func(v any) string { return v.(string) })
		}
		return pgtype.FlatArray[pgtype.Text](arrayOf(rows, column, func(v any) pgtype.Text {
			s, ok := v.(string)
			return pgtype.Text{String: s, Valid: ok}
		}))
	case sqlstore.TypeInt:
		if !hasNull(rows, column) {
			return arrayOf(rows, column, func(v any) int64 { return v.(int64) })
		}
		return pgtype.FlatArray[pgtype.Int8](arrayOf(rows, column, func(v any) pgtype.Int8 {
			n, ok := v.(int64)
			return pgtype.Int8{Int64: n, Valid: ok}
		}))
	}
	return pgtype.FlatArray[[]byte](arrayOf(rows, column, func(v any) []byte { b, _ := v.([]byte); return b }))
}

func hasNull(rows [][]any, column int) bool {
	return slices.ContainsFunc(rows, func(row []any) bool { return row[column] == nil })
}

func arrayOf[T any](rows [][]any, column int, of func(any) T) []T {
	values := make([]T, len(rows))
	for i, row := range rows {
		values[i] = of(row[column])
	}
	return values
}
