package backendtest

import (
	"sync"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func closeTopics() []topic {
	return []topic{
		{name: "close/twice is fine", test: closeTwice},
		{name: "close/other methods fail afterwards", test: failAfterClose},
		{name: "close/during use ends every call, and loses nothing", test: closeDuringUse},
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
	for _, c := range calls(b, 3) {
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

// closeDuringUse: what was accepted is stored, and nobody waits for ever.
func closeDuringUse(k *kit) {
	b, ctx := k.start(), k.context()
	var (
		users    sync.WaitGroup
		busy     sync.WaitGroup // until each user has called once
		accepted []taskflow.Record
	)
	for _, c := range calls(b, 3) {
		if c.name == "Save" || c.name == "DeleteBefore" {
			continue
		}
		busy.Add(1)
		users.Go(func() {
			for first, err := true, error(nil); err == nil; first = false {
				err = c.run(ctx, b)
				if first {
					busy.Done()
				}
			}
		})
	}
	busy.Add(1)
	users.Go(func() {
		for n := 0; ; n++ {
			_, err := b.Save(ctx, []taskflow.Record{finished(n)})
			if n == 0 {
				busy.Done()
			}
			if err != nil {
				return
			}
			accepted = append(accepted, finished(n))
		}
	})
	busy.Wait()
	for range 2 {
		users.Go(func() {
			if err := b.Close(); err != nil {
				k.Errorf("Close during use: %v", err)
			}
		})
	}
	ended := make(chan struct{})
	go func() { // ends with the calls; a call that never ends fails the test
		users.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(k.patience):
		k.Fatalf("%v after Close some call has not returned", k.patience)
	}
	if k.reopen == nil {
		k.untested.add(noReopen)
		return
	}
	b = k.opened(k.reopen(b))
	stored := map[string]bool{}
	for _, r := range k.history(ctx, b) {
		stored[r.ID] = true
	}
	for _, r := range accepted {
		if !stored[r.ID] {
			k.Errorf("Save accepted %s while Close came, and it is gone", r.ID)
		}
	}
}

func closeBeforeOpen(k *kit) {
	b := k.open()
	k.must(b.Close(), "Close before Open")
}

func failBeforeOpen(k *kit) {
	b, ctx := k.open(), k.context()
	for _, c := range calls(b, 3) {
		if err := c.do(ctx, b); err == nil {
			k.Errorf("%s before Open returned no error", c.name)
		}
	}
}
