package sqlstore

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
	"pgregory.net/rapid"
)

// The id before another is the largest that is smaller: a page that ends there begins again without a gap.
func TestTheIDBefore(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"019ab1c2-d3e4-7f50-8a1b-2c3d4e5f6071": "019ab1c2-d3e4-7f50-8a1b-2c3d4e5f6070",
		"019ab1c2-d3e4-7f50-8a1b-2c3d4e5f0000": "019ab1c2-d3e4-7f50-8a1b-2c3d4e5effff",
		"10000000-0000-0000-0000-000000000000": "0fffffff-ffff-ffff-ffff-ffffffffffff",
		"ffffffff-ffff-ffff-ffff-ffffffffffff": "ffffffff-ffff-ffff-ffff-fffffffffffe",
	} {
		parsed, err := parseID(id)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := parsed.before(); !ok || got.String() != want {
			t.Errorf("before %s is %s, %v; want %s", id, got, ok, want)
		}
	}
	if got, ok := lowestID.before(); ok {
		t.Errorf("before the smallest id there is %s", got)
	}
}

func TestIDsAsDriversGiveThem(t *testing.T) {
	t.Parallel()
	const text = "019ab1c2-d3e4-7f50-8a1b-2c3d4e5f6071"
	want, err := parseID(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, src := range []any{text, want[:]} {
		var got ID
		if err := got.Scan(src); err != nil || got != want {
			t.Errorf("Scan of %T gave %s, %v; want %s", src, got, err, text)
		}
	}
	for _, src := range []any{nil, int64(1), "no id", []byte{1, 2, 3}} {
		var got ID
		if err := got.Scan(src); err == nil {
			t.Errorf("Scan of %v gave %s, want an error", src, got)
		}
	}
}

func TestIDsThatBeginWithAText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"": true, "0": true, "019ab1c2": true, "019ab1c2-": true, "019ab1c2-d3e4-7f50-8a1b-2c3d4e5f6071": true,
		"g": false, "019ab1c2d": false, "-": false, "019AB": false, "019ab1c2-d3e4-7f50-8a1b-2c3d4e5f60710": false,
	} {
		low, high, ok := idPrefix(text)
		if ok != want || ok && (!strings.HasPrefix(low.String(), text) || !strings.HasPrefix(high.String(), text)) {
			t.Errorf("ids that begin with %q: %s to %s, %v; want %v", text, low, high, ok, want)
		}
	}
}

// What a record adds to the totals does not overflow, and is what it takes away again.
func TestWhatCountsOfARecord(t *testing.T) {
	t.Parallel()
	const second = int64(time.Second)
	for _, c := range []struct {
		status     taskflow.Status
		start, end any
		counts     bool
		took       int64
	}{
		{taskflow.StatusSuccess, int64(0), second, true, 1_000_000},
		{taskflow.StatusFailed, second, second + 1999, true, 1},
		{taskflow.StatusSuccess, second, int64(0), true, 0}, // the clock was set back
		{taskflow.StatusSuccess, nil, second, true, 0},
		{taskflow.StatusFailed, int64(math.MinInt64), int64(math.MaxInt64), true, longest},
		{taskflow.StatusCancelled, int64(0), second, false, 0},
		{taskflow.StatusInterrupted, int64(0), second, false, 0},
	} {
		k, took := totalOf(c.status, c.start, c.end)
		if k.status != c.status || (k.bucket != noBucket) != c.counts || took != c.took {
			t.Errorf("%s from %v to %v counts as %+v with %d µs; want %v with %d µs", c.status, c.start, c.end, k, took, c.counts, c.took)
		}
	}
	if int64(listSize)*longest < 0 || longest > math.MaxInt64/listSize {
		t.Error("the durations of one batch together do not fit into 64 bits")
	}
}

func TestSumsOfAnySizeAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"0": 0, "12 ": 12, "-3": -3, "9223372036854775807": math.MaxInt64, "99999999999999999999": math.MaxInt64} {
		if got := decimal(text); got != want {
			t.Errorf("%q is read as %d, want %d", text, got, want)
		}
	}
}

// A mark is found among those of a record exactly if the record has the tag, whatever bytes other than zero keys and values have.
func TestMarksFindTags(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("kv\x01ab")))
		tags := rapid.MapOfN(text, text, 0, 4).Draw(t, "tags")
		key, value := text.Draw(t, "key"), text.Draw(t, "value")
		stored, _ := marks(tags).([]byte)
		have, ok := tags[key]
		want := ok && (value == "" || value == have)
		if got := bytes.Contains(stored, mark(key, value)); got != want {
			t.Fatalf("tag %q = %q is found among %q: %v, want %v", key, value, tags, got, want)
		}
	})
}

// A call that stores a record twice does so in two rounds.
func TestRoundsHaveEachIDOnce(t *testing.T) {
	t.Parallel()
	list := make([]*encoded, 2500)
	for i := range list {
		list[i] = &encoded{id: ID{byte(i >> 8), byte(i)}}
	}
	list[1200].id = list[1100].id
	var sizes []int
	for rest := list; len(rest) > 0; {
		n := distinct(rest)
		sizes = append(sizes, n)
		rest = rest[n:]
	}
	if len(sizes) != 4 || sizes[0] != 1000 || sizes[1] != 200 || sizes[2] != 1000 || sizes[3] != 300 {
		t.Errorf("the rounds have %v records, want 1000, 200, 1000 and 300", sizes)
	}
}
