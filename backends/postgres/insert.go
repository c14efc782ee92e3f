package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
)

// maxStatement is how many bytes of values one statement carries; a larger one only costs memory.
const maxStatement = 16 << 20

// Insert passes each column as an array: the statement is the same for any number of rows, so that it is parsed and planned once.
func (d *dialect) Insert(t *sqlstore.Table, c sqlstore.Conflict, rows [][]any) (statements []sqlstore.Fragment) {
	sql := d.insertSQL(t, c)
	for len(rows) > 0 {
		n := fitting(rows)
		statements = append(statements, sqlstore.Fragment{SQL: sql, Args: arrays(t, rows[:n])})
		rows = rows[n:]
	}
	return statements
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

func (d *dialect) insertSQL(t *sqlstore.Table, c sqlstore.Conflict) string {
	names, params := make([]string, len(t.Columns)), make([]string, len(t.Columns))
	for i, column := range t.Columns {
		names[i] = column.Name
		params[i] = "?::" + arrayTypes[column.Type]
	}
	sql := "INSERT INTO {" + t.Name + "} AS t (" + strings.Join(names, ", ") + ") SELECT * FROM unnest(" + strings.Join(params, ", ") + ")"
	if len(c.Key) == 0 {
		return d.Statement(sql)
	}
	sql += " ON CONFLICT (" + strings.Join(c.Key, ", ") + ") DO "
	if len(c.Set)+len(c.Add) == 0 {
		return d.Statement(sql + "NOTHING")
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
	return d.Statement(sql)
}

var arrayTypes = map[sqlstore.Type]string{
	sqlstore.TypeID: "uuid[]", sqlstore.TypeText: "text[]", sqlstore.TypeInt: "bigint[]", sqlstore.TypeBytes: "bytea[]",
}

// arrays turns rows into columns.
func arrays(t *sqlstore.Table, rows [][]any) []any {
	args := make([]any, len(t.Columns))
	for i, column := range t.Columns {
		switch column.Type {
		case sqlstore.TypeID:
			args[i] = array(rows, i, func(v any) [16]byte { return v.(sqlstore.ID) })
		case sqlstore.TypeText:
			args[i] = pgtype.FlatArray[pgtype.Text](array(rows, i, func(v any) pgtype.Text {
				s, ok := v.(string)
				return pgtype.Text{String: s, Valid: ok}
			}))
		case sqlstore.TypeInt:
			args[i] = pgtype.FlatArray[pgtype.Int8](array(rows, i, func(v any) pgtype.Int8 {
				n, ok := v.(int64)
				return pgtype.Int8{Int64: n, Valid: ok}
			}))
		case sqlstore.TypeBytes:
			args[i] = array(rows, i, func(v any) []byte { b, _ := v.([]byte); return b })
		}
	}
	return args
}

func array[T any](rows [][]any, column int, of func(any) T) []T {
	values := make([]T, len(rows))
	for i, row := range rows {
		values[i] = of(row[column])
	}
	return values
}
