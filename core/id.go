package taskflow

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"
)

// taskID is a UUIDv7 (RFC 9562) in binary: comparable, so that it is a map key without an allocation.
type taskID [16]byte

// idSource makes ids that strictly increase, so that the order of ids is the order of Add. The first 60 bits (version
// aside) are the time in units of 1/4096 ms (RFC 9562, section 6.2, method 3), the rest is random. The caller serialises.
type idSource struct {
	last uint64 // time of the last id, in 1/4096 ms
}

// next returns an id and the time it carries: now, or a moment later when the clock has not moved on.
func (s *idSource) next(now time.Time) (taskID, time.Time) {
	t := max(idTicks(now), s.last+1)
	s.last = t
	return makeID(t, rand.Uint64()), idTime(t)
}

func idTicks(t time.Time) uint64 {
	ms := max(t.UnixMilli(), 0)
	sub := (t.UnixNano() - t.UnixMilli()*int64(time.Millisecond)) << 12 / int64(time.Millisecond)
	return uint64(ms)<<12 | uint64(sub)&0xfff
}

func idTime(ticks uint64) time.Time {
	// rounded up to the next nanosecond, so that the ticks of the result are the same ticks
	ns := (int64(ticks&0xfff)*int64(time.Millisecond) + 0xfff) >> 12
	return time.Unix(0, int64(ticks>>12)*int64(time.Millisecond)+ns).UTC()
}

func makeID(ticks, random uint64) (id taskID) {
	ms, sub := ticks>>12, ticks&0xfff
	id[0], id[1], id[2], id[3], id[4], id[5] = byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms)
	id[6], id[7] = 0x70|byte(sub>>8), byte(sub)
	for i := range 8 {
		id[8+i] = byte(random >> (56 - 8*i))
	}
	id[8] = id[8]&0x3f | 0x80
	return id
}

// IDBounds returns the smallest and the largest id that a task added at t can have. Backends turn Filter.Since and
// Filter.Until into ranges of ids with it.
func IDBounds(t time.Time) (lowest, highest string) {
	ticks := idTicks(t)
	return makeID(ticks, 0).String(), makeID(ticks, ^uint64(0)).String()
}

// NewID returns a new id for a task added at t. Managers make their own; it serves tests and tools that write records.
func NewID(t time.Time) string { return makeID(idTicks(t), rand.Uint64()).String() }

// ticks is the time that the id carries, in 1/4096 ms.
func (id taskID) ticks() uint64 {
	return uint64(id[0])<<52 | uint64(id[1])<<44 | uint64(id[2])<<36 | uint64(id[3])<<28 | uint64(id[4])<<20 | uint64(id[5])<<12 |
		uint64(id[6]&0xf)<<8 | uint64(id[7])
}

func (id taskID) compare(o taskID) int { return bytes.Compare(id[:], o[:]) }

func (id taskID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:36], id[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// ValidID reports whether s has the form of a task's id: a lower-case UUID with its hyphens.
func ValidID(s string) bool { _, err := parseID(s); return err == nil }

func parseID(s string) (id taskID, err error) {
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		var h [32]byte
		n := 0
		for i := range len(s) {
			if c := s[i]; c != '-' && n < len(h) {
				if c >= 'A' && c <= 'F' {
					n = 0
					break
				}
				h[n] = c
				n++
			}
		}
		if n == len(h) {
			if _, err = hex.Decode(id[:], h[:]); err == nil {
				return id, nil
			}
		}
	}
	return taskID{}, fmt.Errorf("%w: %q is not a task id (a UUID like 01890a5d-ac96-774b-bcce-b302099a8057)", ErrNotFound, clip(s, 64))
}
