package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// The columns of a pending row and, after them, those of one in full, in the order in which decodePending reads them.
const (
	pendingColumns       = "id, owner, record"
	pendingDetailColumns = ", stack, logs, args"
)

// decodePending reads a row of pendingColumns, with pendingDetailColumns if full.
func decodePending(row []driver.Value, full bool) (taskflow.Record, error) {
	r := rowReader{row: row}
	id, owner, text := r.id(), r.optional(), r.text()
	var stack string
	var kept taskflow.Record
	var args []byte
	if full {
		stack = r.optional()
		r.logs(&kept)
		args = r.blob()
	}
	if r.err != nil {
		return taskflow.Record{}, r.err
	}
	var v taskflow.Record
	if err := v.UnmarshalJSON([]byte(text)); err != nil {
		return taskflow.Record{}, err
	}
	v.ID, v.Owner = id, owner
	if !full {
		return v.Summary(), nil
	}
	// version 2 kept all in the JSON: what is not in a column may be there
	if stack != "" {
		v.Stack = stack
	}
	if kept.Logs != nil {
		v.Logs = kept.Logs
	}
	v.RecordExtra = kept.RecordExtra
	if args != nil {
		v.Args = args
	}
	return v, nil
}

// encodePending returns the values of a row in the order of its columns, but for owner and session.
func encodePending(r *taskflow.Record) (p pendingRow, err error) {
	if p.id, err = checkRecord(r); err != nil {
		return p, err
	}
	// the method and not json.Marshal, which would read again what it has written
	record, err := r.Summary().MarshalJSON()
	if err == nil {
		p.logs, err = encodeLogs(r)
	}
	if err == nil && r.Args != nil && !json.Valid(r.Args) {
		err = errors.New("its arguments are not JSON")
	}
	if err != nil {
		return p, fmt.Errorf("%w: record %q: %w", ErrInvalidRecord, r.ID, err)
	}
	p.record, p.stack = string(record), optional(r.Stack)
	if r.Args != nil {
		p.args = []byte(r.Args)
	}
	return p, nil
}

type pendingRow struct {
	id                []byte
	record            string
	stack, logs, args any
}
