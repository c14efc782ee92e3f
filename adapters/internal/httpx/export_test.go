package httpx

import (
	"net/http"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// AttachImpatiently is Attach with a shorter wait for clients that stall.
func AttachImpatiently(srv *http.Server, m *taskflow.Manager, stalled time.Duration) {
	attach(srv, m, stalled)
}
