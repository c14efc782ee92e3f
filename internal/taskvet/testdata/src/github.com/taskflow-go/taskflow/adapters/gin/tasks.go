package tasks

import (
	"github.com/gin-gonic/gin"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func Add[R taskflow.Runnable](*gin.Context, R, ...any) {}
