package tasks

import (
	"github.com/gofiber/fiber/v2"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func Add[R taskflow.Runnable](*fiber.Ctx, R, ...any) {}
