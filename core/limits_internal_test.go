package taskflow

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClip(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"empty":                               {"", ""},
		"as long as the limit":                {strings.Repeat("x", 20), strings.Repeat("x", 20)},
		"one too long":                        {strings.Repeat("x", 21), "xxxxx" + cutMark},
		"huge":                                {strings.Repeat("x", 1<<20), "xxxxx" + cutMark},
		"cut within a character":              {"xxx漢" + strings.Repeat("x", 100), "xxx" + cutMark},
		"cut behind a character":              {"xx漢" + strings.Repeat("x", 100), "xx漢" + cutMark},
		"NUL grows to a replacement":          {"a\x00b", "a\uFFFDb"},
		"NULs grow beyond the limit":          {strings.Repeat("\x00", 7), "\uFFFD" + cutMark},
		"stray bytes grow beyond the limit":   {strings.Repeat("x\xff", 10), "x\uFFFDx" + cutMark},
		"stray bytes side by side are one":    {strings.Repeat("\xff", 22), "\uFFFD"},
		"huge and made of continuation bytes": {strings.Repeat("\x80", 1<<20), "\uFFFD" + cutMark},
	} {
		if got := clip(c.in, 20); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestClipOfACleanShortTextAllocatesNothing(t *testing.T) {
	text := "naïve " + strings.Repeat("x", 100)
	if n := testing.AllocsPerRun(100, func() { clip(text, 200) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzClip(f *testing.F) {
	f.Add("abc", 2)
	f.Add("é\xff\x00漢字", 5)
	f.Add(strings.Repeat("\x00", 9000), MaxErrorBytes)
	f.Add(strings.Repeat("x\xff", 100), 200)
	f.Add(strings.Repeat("漢", 100), 200)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = limit&0xffff | 64
		got := clip(s, limit)
		if len(got) > limit || strings.ContainsRune(got, 0) || !utf8.ValidString(got) {
			t.Errorf("clip(%q, %d) is %q, of %d bytes", s, limit, got, len(got))
		}
		if again := clip(got, limit); again != got {
			t.Errorf("clip(%q, %d) is %q, and that clipped again is %q", s, limit, got, again)
		}
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			return
		}
		if kept, cut := strings.CutSuffix(got, cutMark); got != s && (!cut || len(s) <= limit || !strings.HasPrefix(s, kept)) {
			t.Errorf("clip(%q, %d) of a clean text is %q", s, limit, got)
		}
	})
}
