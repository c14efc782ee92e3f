package cli

import (
	"github.com/taskflow-go/taskflow/internal/backendurl"
)

// openers are the backends of this build.
func openers() map[backendurl.Kind]opener {
	return map[backendurl.Kind]opener{}
}
