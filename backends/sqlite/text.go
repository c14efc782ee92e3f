package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// What of a text search may be looked up by index; beyond that the text is so common that walking the history finds it.
const (
	nameSources = 50    // names that contain the text
	textHits    = 2_000 // records whose error or tags contain it
)

// textTerm looks for a text (in lower case) in names, errors, tag values and the beginning of the id. Its sources are complete but not
// exact: the full-text index knows more letter cases than ASCII's. Without sources the history is walked.
func textTerm(ctx context.Context, c *conn, text string, atMost time.Duration) (term, error) {
	t := term{partial: true, texts: true}
	t.check = statement{`(EXISTS (SELECT 1 FROM name n WHERE n.name_id = h.name_id AND instr(lower(n.name), ?) > 0)
		OR instr(lower(h.error), ?) > 0
		OR EXISTS (SELECT 1 FROM json_each(iif(json_valid(h.tags), h.tags, '{}')) j WHERE instr(lower(j.value), ?) > 0)`, []any{text, text, text}}
	low, high, isPrefix := idPrefix(text)
	if isPrefix {
		t.check.sql += " OR h.id BETWEEN ? AND ?"
		t.check.args = append(t.check.args, low, high)
	}
	t.check.sql += ")"

	names, complete, err := namesWith(ctx, c, text)
	if err != nil || !complete {
		return t, err
	}
	hits, complete, err := textsWith(ctx, c, text, atMost)
	if err != nil || !complete {
		return t, err
	}
	for _, id := range names {
		t.sources = append(t.sources, indexTerm("history_name", "h.name_id = ?", id).sources...)
	}
	if isPrefix {
		t.sources = append(t.sources, source{id: "h.id", from: "history h", where: statement{"h.id BETWEEN ? AND ?", []any{low, high}}})
	}
	list, err := json.Marshal(hits)
	if err != nil {
		return t, err
	}
	t.sources = append(t.sources, source{
		id: "r.id", from: "search_row r", join: " CROSS JOIN history h ON h.id = r.id",
		where: statement{"r.search_id IN (SELECT value FROM json_each(?))", []any{string(list)}},
	})
	return t, nil
}

// namesWith returns the ids of the names that contain the text; incomplete when there are too many names to look through,
// or too many that do.
func namesWith(ctx context.Context, c *conn, text string) (ids []int64, complete bool, err error) {
	many, _, err := c.number(ctx, "SELECT EXISTS (SELECT 1 FROM name LIMIT 1 OFFSET ?)", int64(maxNames))
	if err != nil || many == 1 {
		return nil, false, err
	}
	err = c.query(ctx, "SELECT name_id FROM name WHERE instr(lower(name), ?) > 0 LIMIT ?", []any{text, int64(nameSources + 1)},
		func(row []driver.Value) error {
			r := rowReader{row: row}
			ids = append(ids, r.number())
			return r.err
		})
	return ids, len(ids) <= nameSources, err
}

// textsWith returns the rows of the full-text index that contain the text; incomplete when it is too short for the index,
// in too many, or takes too long.
func textsWith(ctx context.Context, c *conn, text string, atMost time.Duration) (ids []int64, complete bool, err error) {
	ids = []int64{}
	if utf8.RuneCountInString(text) < 3 {
		return ids, false, nil
	}
	phrase := `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	limited, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	// One row, so that all the work is in the first step: the driver interrupts no other.
	const sql = "SELECT json_group_array(rowid) FROM (SELECT rowid FROM search WHERE search MATCH ? LIMIT ?)"
	err = c.query(limited, sql, []any{phrase, int64(textHits + 1)}, func(row []driver.Value) error {
		r := rowReader{row: row}
		r.json(&ids)
		return r.err
	})
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return nil, false, nil
	}
	return ids, len(ids) <= textHits, err
}

// idPrefix returns the smallest and the largest id that begin with the text.
func idPrefix(text string) (low, high []byte, ok bool) {
	const zero, last = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
	if len(text) > len(zero) {
		return nil, nil, false
	}
	from, to := text+zero[len(text):], text+last[len(text):]
	if !taskflow.ValidID(from) {
		return nil, nil, false
	}
	low, errLow := hex.DecodeString(strings.ReplaceAll(from, "-", ""))
	high, errHigh := hex.DecodeString(strings.ReplaceAll(to, "-", ""))
	return low, high, errLow == nil && errHigh == nil
}

// lower maps the ASCII capitals only, like SQLite's lower and as the contract has it.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
