package backendtest

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func messageTopics() []topic {
	const needs = "Messenger"
	has := offers[taskflow.Messenger]
	return []topic{
		{name: "messages/oldest first, from a position on", needs: needs, has: has, test: messagesInOrder},
		{name: "messages/none of eight posters is lost", needs: needs, has: has, test: noMessageIsLost},
		{name: "messages/64 KB of any bytes", needs: needs, has: has, test: messagesAreBytes},
	}
}

func (k *kit) receive(ctx context.Context, b taskflow.Backend, after string, limit int, want ...string) (position string) {
	k.Helper()
	bodies, position, err := b.(taskflow.Messenger).Receive(ctx, after, limit)
	k.must(err, "Receive")
	var got []string
	for _, body := range bodies {
		got = append(got, string(body))
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		k.Errorf("Receive of at most %d after %q returned %q, want %q", limit, after, got, want)
	}
	if position == "" {
		k.Fatalf("Receive after %q returned no position", after)
	}
	return position
}

func (k *kit) post(ctx context.Context, b taskflow.Backend, bodies ...string) {
	k.Helper()
	for _, body := range bodies {
		k.must(b.(taskflow.Messenger).Post(ctx, []byte(body)), "Post")
	}
}

func messagesInOrder(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	empty := k.receive(ctx, here, "", 10) // the present of a new backend
	k.post(ctx, here, "first")
	early := k.receive(ctx, here, "", 10)
	late := k.receive(ctx, there, "", 10)
	early = k.receive(ctx, here, early, 10)
	k.post(ctx, there, "a", "b")
	k.post(ctx, here, "c", "d", "e")
	late = k.receive(ctx, there, late, 2, "a", "b")
	late = k.receive(ctx, there, late, 2, "c", "d")
	again := k.receive(ctx, there, late, 2, "e")
	k.receive(ctx, there, late, 10, "e") // a position stays valid, whatever was received since
	late = k.receive(ctx, there, again, 10)
	k.receive(ctx, here, early, 10, "a", "b", "c", "d", "e") // each receiver gets all
	k.receive(ctx, here, empty, 10, "first", "a", "b", "c", "d", "e")
	k.post(ctx, here, "a") // the same text once more
	k.receive(ctx, there, late, 10, "a")
	k.receive(ctx, here, "", 10)
}

// noMessageIsLost receives while eight post: one that was written earlier but became visible later must not be passed over.
func noMessageIsLost(k *kit) {
	here, there := k.pair()
	ctx := k.context()
	const posters, each = 8, 50
	receivers := []taskflow.Backend{here, there}
	var positions [2]string
	for i, b := range receivers {
		positions[i] = k.receive(ctx, b, "", 10)
	}
	limited, cancel := context.WithTimeout(ctx, k.patience)
	defer cancel()
	var (
		posting, receiving sync.WaitGroup
		got                [2][]string
		bad                [posters]error
		badReceive         [2]error
	)
	for p := range posters {
		m := receivers[p%2].(taskflow.Messenger)
		posting.Go(func() {
			for n := 0; n < each && bad[p] == nil; n++ {
				bad[p] = m.Post(ctx, fmt.Appendf(nil, "%d: %d", p, n))
			}
		})
	}
	for i, b := range receivers {
		receiving.Go(func() {
			got[i], badReceive[i] = receiveAll(limited, b.(taskflow.Messenger), positions[i], posters*each)
		})
	}
	posting.Wait()
	receiving.Wait()
	for _, err := range bad {
		k.must(err, "Post by one of eight")
	}
	for i := range got {
		if badReceive[i] != nil {
			k.Errorf("Receive: after %d of %d messages: %v", len(got[i]), posters*each, badReceive[i])
		}
		var next [posters]int
		for _, body := range got[i] {
			var p, n int
			if _, err := fmt.Sscanf(body, "%d: %d", &p, &n); err != nil || n != next[p] {
				k.Fatalf("Receive returned %q where the next of that poster is %d: lost, twice or out of order", body, next[p])
			}
			next[p]++
		}
	}
}

func receiveAll(ctx context.Context, m taskflow.Messenger, position string, want int) (all []string, err error) {
	for len(all) < want {
		var bodies [][]byte
		if bodies, position, err = m.Receive(ctx, position, 17); err != nil {
			return all, err
		}
		for _, body := range bodies {
			all = append(all, string(body))
		}
	}
	return all, nil
}

func messagesAreBytes(k *kit) {
	b, ctx := k.start(), k.context()
	m := b.(taskflow.Messenger)
	large := bytes.Repeat([]byte{0, 1, 2, 3, 0xff, 0xfe, '\'', '\n'}, 64<<10/8)
	position := k.receive(ctx, b, "", 10)
	k.must(m.Post(ctx, large), "Post of 64 KB")
	k.post(ctx, b, hostile()...)
	bodies, position, err := m.Receive(ctx, position, 1)
	k.must(err, "Receive")
	if len(bodies) != 1 || !bytes.Equal(bodies[0], large) {
		k.Fatalf("Receive of 64 KB returned %d messages, and not what was posted", len(bodies))
	}
	k.receive(ctx, b, position, 100, hostile()...)
}
