package backendtest

import (
	"context"
	"errors"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func contextTopics() []topic {
	return []topic{{name: "context/an ended one is an error", test: endedContext}}
}

func endedContext(k *kit) {
	b := k.start()
	ended, cancel := context.WithCancel(k.context())
	cancel()
	for _, c := range calls(b) {
		if err := c.do(ended, b); !errors.Is(err, context.Canceled) {
			k.Errorf("%s with an ended context returned %v; want an error that wraps context.Canceled", c.name, err)
		}
	}
	ctx := k.context()
	k.compare("Load after calls with an ended context", k.history(ctx, b), nil)
	k.compare("LoadPending after calls with an ended context", k.pending(ctx, b), nil)
	k.save(ctx, b, finished(1)) // it still works
	if o, ok := b.(taskflow.Opener); ok {
		if err := o.Open(ctx); err == nil {
			k.Error("Open of an open backend returned no error")
		}
	}
}
