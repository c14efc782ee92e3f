package backendtest

import (
	taskflow "github.com/taskflow-go/taskflow/core"
)

func closeTopics() []topic {
	return []topic{
		{name: "close/twice is fine", test: closeTwice},
		{name: "close/other methods fail afterwards", test: failAfterClose},
		{name: "close/before open is fine", needs: "Opener", has: offers[taskflow.Opener], test: closeBeforeOpen},
		{name: "close/methods fail before open", needs: "Opener", has: offers[taskflow.Opener], test: failBeforeOpen},
	}
}

func closeTwice(k *kit) {
	b := k.start()
	for range 3 {
		k.must(b.Close(), "Close")
	}
}

func failAfterClose(k *kit) {
	b, ctx := k.start(), k.context()
	k.must(b.Close(), "Close")
	for _, c := range calls(b) {
		if err := c.do(ctx, b); err == nil {
			k.Errorf("%s after Close returned no error", c.name)
		}
	}
	if o, ok := b.(taskflow.Opener); ok {
		if err := o.Open(ctx); err == nil {
			k.Error("Open after Close returned no error")
		}
	}
}

func closeBeforeOpen(k *kit) {
	b := k.open()
	k.must(b.Close(), "Close before Open")
}

func failBeforeOpen(k *kit) {
	b, ctx := k.open(), k.context()
	for _, c := range calls(b) {
		if err := c.do(ctx, b); err == nil {
			k.Errorf("%s before Open returned no error", c.name)
		}
	}
}
