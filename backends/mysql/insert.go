package mysql

import (
	"strings"

	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
)

const (
	// maxRows keeps the parameters of a statement below 65,536, which is all that a prepared one can have.
	maxRows = 1000
	// maxStatement is how many bytes one statement has at most, if it has several rows: more only cost memory.
	maxStatement = 8 << 20
	// perValue is what a value takes in a statement beside its bytes: quotes, a comma, the digits of a number.
	perValue = 24
)

// Insert passes the rows as VALUES, in statements that the server accepts by their size.
func (d *dialect) Insert(t *sqlstore.Table, c sqlstore.Conflict, rows [][]any) (statements []sqlstore.Fragment) {
	names := make([]string, len(t.Columns))
	for i, column := range t.Columns {
		names[i] = column.Name
	}
	head := d.Statement("INSERT INTO {" + t.Name + "} (" + strings.Join(names, ", ") + ") VALUES ")
	row, tail := "("+marks(len(names))+")", onConflict(c)
	for len(rows) > 0 {
		n := d.fitting(rows)
		args := make([]any, 0, n*len(names))
		for _, r := range rows[:n] {
			args = append(args, r...)
		}
		statements = append(statements, sqlstore.Fragment{SQL: head + strings.Repeat(row+", ", n-1) + row + tail, Args: args})
		rows = rows[n:]
	}
	return statements
}

// fitting is how many of the rows go into one statement, at least one. Escaped, a text is up to twice as long.
func (d *dialect) fitting(rows [][]any) int {
	limit, size := min(d.packet, maxStatement), 0
	for i, row := range rows {
		for _, v := range row {
			size += perValue
			switch v := v.(type) {
			case string:
				size += 2 * len(v)
			case []byte:
				size += 2 * len(v)
			}
		}
		if i > 0 && (size > limit || i == maxRows) {
			return i
		}
	}
	return len(rows)
}

// onConflict uses VALUES(column), which MySQL calls deprecated but MariaDB has nothing else for.
func onConflict(c sqlstore.Conflict) string {
	if len(c.Key) == 0 {
		return ""
	}
	var set []string
	if len(c.Set)+len(c.Add) == 0 {
		set = append(set, c.Key[0]+" = "+c.Key[0]) // the row stays as it is
	}
	for _, column := range c.Set {
		value := "VALUES(" + column + ")"
		if c.If != "" {
			// later columns see what earlier ones have become: those of the condition come last
			value = "IF(" + condition(c.If) + ", " + value + ", " + column + ")"
		}
		set = append(set, column+" = "+value)
	}
	for _, column := range c.Add {
		set = append(set, column+" = "+column+" + VALUES("+column+")")
	}
	return " ON DUPLICATE KEY UPDATE " + strings.Join(set, ", ")
}

// condition turns {old}.x into x and {new}.x into VALUES(x).
func condition(s string) string {
	s = strings.ReplaceAll(s, "{old}.", "")
	for {
		before, after, found := strings.Cut(s, "{new}.")
		if !found {
			return s
		}
		n := strings.IndexFunc(after, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') })
		if n < 0 {
			n = len(after)
		}
		s = before + "VALUES(" + after[:n] + ")" + after[n:]
	}
}
