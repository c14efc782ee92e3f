package taskvet

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

// One run for all: loading net/http is most of the work.
func TestFindings(t *testing.T) {
	t.Parallel()
	analysistest.Run(t, analysistest.TestData(), newAnalyzer(), "onnethttp", "ongin", "onchi", "onfiber", "indirect", "goroutines", "elsewhere")
}

func TestFixes(t *testing.T) {
	t.Parallel()
	analysistest.RunWithSuggestedFixes(t, analysistest.TestData(), newAnalyzer(), "fiberfix")
}

func TestImmutable(t *testing.T) {
	t.Parallel()
	a := newAnalyzer()
	if err := a.Flags.Set("immutable", "true"); err != nil {
		t.Fatal(err)
	}
	analysistest.Run(t, analysistest.TestData(), a, "immutable")
}
