//go:build unix

package main

import (
	"testing"

	"github.com/taskflow-go/taskflow/examples/internal/exampletest"
)

func TestServiceFromUploadToHistory(t *testing.T) {
	t.Parallel()
	exampletest.FromUploadToHistory(t)
}

func TestServiceRefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	exampletest.RefusesWhatIsTooLarge(t)
}

func TestServiceRefusesWhatUnpacksToTooMuch(t *testing.T) {
	t.Parallel()
	exampletest.RefusesWhatUnpacksToTooMuch(t)
}
