package taskflow

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestIDsIncreaseWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s idSource
		now := time.UnixMilli(rapid.Int64Range(0, 1<<43).Draw(t, "start"))
		var last taskID
		var lastAt time.Time
		for range 200 {
			now = now.Add(time.Duration(rapid.Int64Range(-int64(time.Second), int64(time.Second)).Draw(t, "step")))
			id, at := s.next(now)
			if id.compare(last) <= 0 || id.String() <= last.String() || !at.After(lastAt) {
				t.Fatalf("%s at %v after %s at %v", id, at, last, lastAt)
			}
			if id[6]>>4 != 7 || id[8]>>6 != 2 {
				t.Fatalf("%s is no UUIDv7", id)
			}
			back, err := parseID(id.String())
			if err != nil || back != id {
				t.Fatalf("%s comes back as %s, %v", id, back, err)
			}
			if low, high := IDBounds(at); id.String() < low || id.String() > high {
				t.Fatalf("%s is outside of the bounds of its time: %s to %s", id, low, high)
			}
			last, lastAt = id, at
		}
	})
}

func TestIDTimeIsTheTimeOfAdd(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var s idSource
	if _, at := s.next(now); at.Sub(now).Abs() > 250*time.Nanosecond {
		t.Errorf("%v became %v", now, at)
	}
	low, _ := IDBounds(now)
	_, high := IDBounds(now)
	if id := NewID(now); id < low || id > high || !ValidID(id) {
		t.Errorf("%s is not within %s to %s", id, low, high)
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("01890a5d-ac96-774b-bcce-b302099a8057")
	f.Add("01890A5D-AC96-774B-BCCE-B302099A8057")
	f.Add("01890a5d-ac96-774b-bcce-b302099a80-7")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := parseID(s)
		if err != nil {
			if len(err.Error()) > 512 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if id.String() != s {
			t.Errorf("%q was read as %q", s, id.String())
		}
	})
}
