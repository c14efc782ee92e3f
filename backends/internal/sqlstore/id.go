package sqlstore

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"strings"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// ID is the 16 bytes of a task's id. Their order is that of the ids.
type ID [16]byte

// The smallest and the largest id.
var (
	lowestID  = ID{}
	highestID = ID{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
)

// parseID returns the 16 bytes of an id.
func parseID(s string) (id ID, err error) {
	if !taskflow.ValidID(s) {
		return id, fmt.Errorf("%q is not a task id (a UUID like 01890a5d-ac96-774b-bcce-b302099a8057)", s)
	}
	_, err = hex.Decode(id[:], []byte(strings.ReplaceAll(s, "-", "")))
	return id, err
}

// String returns the id as records have it.
func (id ID) String() string {
	s := hex.EncodeToString(id[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// Scan reads an id as drivers give it: 16 bytes, or text.
func (id *ID) Scan(src any) error {
	switch v := src.(type) {
	case []byte:
		if len(v) == len(id) {
			copy(id[:], v)
			return nil
		}
	case string:
		parsed, err := parseID(v)
		*id = parsed
		return err
	}
	return fmt.Errorf("%T in place of an id", src)
}

// Value makes the id a parameter for drivers that have no type for it.
func (id ID) Value() (driver.Value, error) { return id[:], nil }

// before returns the next smaller id; ok is false when there is none.
func (id ID) before() (smaller ID, ok bool) {
	for i := len(id) - 1; i >= 0; i-- {
		id[i]--
		if id[i] != 0xff {
			return id, true
		}
	}
	return lowestID, false
}

// idPrefix returns the smallest and the largest id that begin with the text.
func idPrefix(text string) (low, high ID, ok bool) {
	first, last := lowestID.String(), highestID.String()
	if len(text) > len(first) {
		return low, high, false
	}
	low, errLow := parseID(text + first[len(text):])
	high, errHigh := parseID(text + last[len(text):])
	return low, high, errLow == nil && errHigh == nil
}
