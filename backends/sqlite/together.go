package sqlite

import (
	"fmt"
	"slices"
	"strings"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Most records that come together are new in the history, and their pending rows, if they have some, are their owner's. Those are stored
// many at a time: a statement costs as much as a few rows.

// together is how many records saveTogether stores.
const together = 16

const historyColumns = `id, name_id, status, source, pool, priority, flags, created_at, run_at, start_time, end_time,
	attempts, max_retries, retry_of, retried_by, error, log_count, owner, tags, idempotency_key, crashes`

const historyValues = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

var (
	insertTogether = "INSERT INTO history (" + historyColumns + ") VALUES " + repeat(historyValues, together)
	detailTogether = "INSERT OR REPLACE INTO detail (id, stack, logs, args) VALUES " + repeat("(?, ?, ?, ?)", together)
	deleteTogether = "DELETE FROM pending WHERE id IN (" + repeat("?", together) + ")"
	// strangers counts, of some ids, those that are in the history, and those whose pending row is not the owner's of the last argument.
	strangers = fmt.Sprintf(`SELECT (SELECT count(*) FROM history WHERE id IN (%[1]s)) + %[2]d -
		(SELECT count(*) FROM pending WHERE id IN (%[1]s) AND (owner IS NULL OR owner = ?%[3]d))`, numbered(together), together, together+1)
	inHistory = "SELECT count(*) FROM history WHERE id IN (" + repeat("?", together) + ")"
)

func repeat(s string, n int) string { return strings.Join(slices.Repeat([]string{s}, n), ", ") }

func numbered(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("?%d", i+1)
	}
	return strings.Join(all, ", ")
}

// saveTogether stores as many records as together says, of one owner, if they are all new and theirs. Otherwise it does nothing, and each is to be
// stored by itself.
func (s *saver) saveTogether(records []taskflow.Record, pending bool) (done bool, err error) {
	owner := records[0].Owner
	ids := make([]any, 0, together+1)
	for i := range records {
		if records[i].Owner != owner {
			return false, nil
		}
		id, err := checkRecord(&records[i])
		if err != nil {
			return false, nil // that it is not valid is said by whoever stores it
		}
		if slices.ContainsFunc(ids, func(other any) bool { return string(other.([]byte)) == string(id) }) {
			return false, nil
		}
		ids = append(ids, id)
	}
	var others int64
	if pending && owner != "" {
		others, _, err = s.c.number(s.ctx, strangers, append(ids, owner)...)
	} else {
		others, _, err = s.c.number(s.ctx, inHistory, ids...)
	}
	if err != nil || others > 0 {
		return false, err
	}
	if pending {
		if err := s.c.run(s.ctx, deleteTogether, ids...); err != nil {
			return false, err
		}
	}
	s.args = s.args[:0]
	for i := range records {
		if err := s.appendRow(ids[i].([]byte), &records[i]); err != nil {
			return false, err
		}
	}
	if err := s.c.run(s.ctx, insertTogether, s.args...); err != nil {
		return false, err
	}
	if err := s.detailTogether(ids, records); err != nil {
		return false, err
	}
	for i := range records {
		if err := s.insertSearch(ids[i].([]byte), &records[i]); err != nil {
			return false, err
		}
		s.totals.add(&records[i], 1)
	}
	return true, nil
}

func (s *saver) detailTogether(ids []any, records []taskflow.Record) error {
	if slices.ContainsFunc(records, func(r taskflow.Record) bool { return !hasDetail(&r) }) {
		for i := range records {
			if err := s.insertDetail(ids[i].([]byte), &records[i]); err != nil {
				return err
			}
		}
		return nil
	}
	s.args = s.args[:0]
	for i := range records {
		var err error
		if s.args, err = appendDetail(s.args, ids[i].([]byte), &records[i]); err != nil {
			return err
		}
	}
	return s.c.run(s.ctx, detailTogether, s.args...)
}
