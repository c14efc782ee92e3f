package backendtest

import (
	"context"
	"errors"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func contextTopics() []topic {
	return []topic{
		{name: "context/an ended one is an error", test: endedContext},
		{name: "context/one that ends during a call hides nothing", test: endingContext},
		{name: "context/one that ends in the middle of any call is told", test: middleOfAnyCall},
	}
}

func endedContext(k *kit) {
	b := k.start()
	ended, cancel := context.WithCancel(k.context())
	cancel()
	for _, c := range calls(b, 3) {
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

// endingContext: a history that was read halfway is an error, not a shorter history.
func endingContext(k *kit) {
	b, ctx := k.start(), k.context()
	all := several(500, finished)
	k.save(ctx, b, all...)
	for _, after := range []time.Duration{10 * time.Microsecond, 100 * time.Microsecond, time.Millisecond, 10 * time.Millisecond} {
		ending, cancel := context.WithTimeout(ctx, after)
		got, err := b.Load(ending)
		cancel()
		switch {
		case err == nil:
			k.compare("Load with a context that ends meanwhile", got, all)
		case !errors.Is(err, context.DeadlineExceeded):
			k.Errorf("Load with a context that ends meanwhile returned %v; want an error that wraps context.DeadlineExceeded", err)
		}
	}
	k.compare("Load afterwards", k.history(ctx, b), all)
}

// middleOfAnyCall: whatever a call was doing when its context ended, it says so, and the next one works.
func middleOfAnyCall(k *kit) {
	b, ctx := k.start(), k.context()
	for _, c := range calls(b, 100) {
		k.must(c.run(ctx, b), c.name)
		for after := time.Microsecond; after < 4*time.Millisecond; after *= 2 {
			ending, cancel := context.WithTimeout(ctx, after)
			err := c.run(ending, b)
			cancel()
			if err != nil && !errors.Is(err, context.DeadlineExceeded) {
				k.Errorf("%s with a context that ends after %v returned %v; want an error that wraps context.DeadlineExceeded", c.name, after, err)
			}
		}
		k.must(c.run(ctx, b), c.name+" after one that was given up")
	}
}
