package backendtest

import (
	"bytes"
	"fmt"
	"sync"

	taskflow "github.com/taskflow-go/taskflow/core"
)

func secretTopics() []topic {
	has := offers[taskflow.SecretStore]
	return []topic{
		{name: "secrets/the first value stays", needs: "SecretStore", has: has, test: firstSecretStays},
		{name: "secrets/eight at once agree", needs: "SecretStore", has: has, test: secretsAgree},
	}
}

func firstSecretStays(k *kit) {
	b, ctx := k.start(), k.context()
	value := []byte{0, 1, 0xff, 0xfe, '\'', '\n'}
	for _, step := range []struct {
		name         string
		store, wants []byte
	}{
		{"session", value, value},
		{"session", []byte("another"), value},
		{"Session", []byte("third"), []byte("third")},
	} {
		got, err := b.(taskflow.SecretStore).LoadOrStoreSecret(ctx, step.name, step.store)
		k.must(err, "LoadOrStoreSecret")
		if !bytes.Equal(got, step.wants) {
			k.Errorf("LoadOrStoreSecret(%q, %q) returned %q, want %q", step.name, step.store, got, step.wants)
		}
	}
	if k.reopen == nil {
		k.untested.add(noReopen)
		return
	}
	k.must(b.Close(), "Close")
	b = k.opened(k.reopen(b))
	got, err := b.(taskflow.SecretStore).LoadOrStoreSecret(ctx, "session", []byte("later"))
	k.must(err, "LoadOrStoreSecret")
	if !bytes.Equal(got, value) {
		k.Errorf("LoadOrStoreSecret after a restart returned %q, want %q", got, value)
	}
}

func secretsAgree(k *kit) {
	b, ctx := k.start(), k.context()
	var (
		wg  sync.WaitGroup
		got [8][]byte
		bad [8]error
	)
	for i := range got {
		wg.Go(func() {
			got[i], bad[i] = b.(taskflow.SecretStore).LoadOrStoreSecret(ctx, "key", fmt.Appendf(nil, "value %d", i))
		})
	}
	wg.Wait()
	for i := range got {
		k.must(bad[i], "LoadOrStoreSecret")
		if !bytes.Equal(got[i], got[0]) {
			k.Errorf("LoadOrStoreSecret returned %q to one and %q to another", got[0], got[i])
		}
	}
}
