package sqlite_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestReadmeShowsTheSchema(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	path := tempFile(t)
	if err := opened(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	rows, err := raw(t, path).QueryContext(t.Context(), "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'search\\_%' ESCAPE '\\' OR name = 'search_row'")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}()
	seen := 0
	for rows.Next() {
		var sql string
		if err := rows.Scan(&sql); err != nil {
			t.Fatal(err)
		}
		if seen++; !strings.Contains(plain(string(readme)), plain(sql)+";") {
			t.Errorf("README.md does not show\n%s", sql)
		}
	}
	if err := rows.Err(); err != nil || seen < 10 {
		t.Errorf("the schema has %d parts, %v; want at least 10", seen, err)
	}
}

// plain returns SQL without comments and layout: a column that was added later stands at an odd place in what SQLite stores.
func plain(sql string) string {
	sql = regexp.MustCompile("--[^\n]*").ReplaceAllString(sql, "")
	sql = strings.Join(strings.Fields(sql), " ")
	return strings.NewReplacer(" ,", ",", "( ", "(", " )", ")").Replace(sql)
}
