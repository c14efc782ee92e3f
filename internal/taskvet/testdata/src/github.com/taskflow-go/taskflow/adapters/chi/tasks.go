package tasks

import (
	"net/http"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func Add[R taskflow.Runnable](*http.Request, R, ...any) {}
