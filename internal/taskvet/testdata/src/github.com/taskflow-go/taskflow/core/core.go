package taskflow

import "context"

type Runnable interface {
	~func(context.Context) error | ~func(context.Context) | ~func() error | ~func()
}

type Work struct{}

func WorkOf[R Runnable](R) Work { return Work{} }

func Add[R Runnable](context.Context, R, ...any) {}

type Manager struct{}

func (*Manager) Add(Work, ...any) {}
