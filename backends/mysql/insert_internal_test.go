package mysql

import (
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/backends/internal/sqlstore"
)

func TestWhatBecomesOfAConflict(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]sqlstore.Conflict{
		"":                                 {},
		" ON DUPLICATE KEY UPDATE id = id": {Key: []string{"id"}},
		" ON DUPLICATE KEY UPDATE a = VALUES(a), b = VALUES(b)":                     {Key: []string{"id"}, Set: []string{"a", "b"}},
		" ON DUPLICATE KEY UPDATE n = n + VALUES(n)":                                {Key: []string{"id"}, Add: []string{"n"}},
		" ON DUPLICATE KEY UPDATE a = IF(o IS NULL OR o = VALUES(o), VALUES(a), a)": {Key: []string{"id"}, Set: []string{"a"}, If: "{old}.o IS NULL OR {old}.o = {new}.o"},
	} {
		if got := onConflict(c); got != want {
			t.Errorf("%+v became %q, want %q", c, got, want)
		}
	}
}

func TestListsStayBelowAThousand(t *testing.T) {
	t.Parallel()
	d := newDialect("p_", "c", 1<<20)
	for n, lists := range map[int]int{1: 1, 900: 1, 901: 2, 1000: 2, 1801: 3} {
		f := d.In("x", make([]string, n))
		if got := strings.Count(f.SQL, "x IN ("); got != lists || strings.Count(f.SQL, "?") != n || len(f.Args) != n {
			t.Errorf("%d values became %d lists with %d marks and %d arguments, want %d lists", n, got, strings.Count(f.SQL, "?"), len(f.Args), lists)
		}
	}
	if f := d.In("x", []string{}); f.SQL != "FALSE" {
		t.Errorf("no values became %q", f.SQL)
	}
}

func TestStatementsAreAsLargeAsTheServerTakes(t *testing.T) {
	t.Parallel()
	d := newDialect("p_", "c", 1000)
	table := &sqlstore.Table{Name: "secret", Columns: []sqlstore.Column{{Name: "name", Type: sqlstore.TypeBytes}, {Name: "value", Type: sqlstore.TypeBytes}}}
	row := func(size int) []any { return []any{make([]byte, size), nil} }
	got := d.Insert(table, sqlstore.Conflict{}, [][]any{row(100), row(100), row(100), row(100), row(5000), row(1)})
	var sizes []int
	for _, f := range got {
		sizes = append(sizes, len(f.Args)/2)
	}
	if len(sizes) != 3 || sizes[0] != 4 || sizes[1] != 1 || sizes[2] != 1 {
		t.Errorf("the statements have %v rows, want 4, the large one by itself, and 1", sizes)
	}
	if want := "INSERT INTO `p_secret` (name, value) VALUES (?, ?)"; got[1].SQL != want {
		t.Errorf("the statement is %q, want %q", got[1].SQL, want)
	}
}
