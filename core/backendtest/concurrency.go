package backendtest

import (
	"context"
	"errors"
	"sync"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func concurrencyTopics() []topic {
	return []topic{
		{name: "concurrency/eight writers lose nothing", test: eightWriters},
		{name: "concurrency/all methods at once", test: allMethodsAtOnce},
	}
}

func eightWriters(k *kit) {
	b, ctx := k.start(), k.context()
	const writers, batches, size = 8, 10, 5
	records := several(writers*batches*size, finished)
	var (
		wg  sync.WaitGroup
		bad [writers]error
	)
	for w := range writers {
		wg.Go(func() {
			for i := range batches {
				at := (w*batches + i) * size
				if _, err := b.Save(ctx, records[at:at+size]); err != nil {
					bad[w] = errors.Join(bad[w], err)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range bad {
		k.must(err, "Save by one of eight")
	}
	k.compare("Load", k.history(ctx, b), records)
	if s, ok := b.(taskflow.StatsReader); ok {
		k.compareStats(ctx, s, records)
	}
}

// allMethodsAtOnce shows its worth under the race detector. Nothing may fail, and Close must not wait for ever.
func allMethodsAtOnce(k *kit) {
	b := k.start()
	ctx, cancel := context.WithTimeout(k.context(), 30*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	list := calls(b, 3)
	bad := make([]error, len(list))
	for i, c := range list {
		wg.Go(func() {
			for range 5 {
				bad[i] = errors.Join(bad[i], c.run(ctx, b))
			}
		})
	}
	wg.Wait()
	for i, err := range bad {
		k.must(err, list[i].name+" among other calls")
	}
}
