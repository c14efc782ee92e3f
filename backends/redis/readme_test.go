package redis_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/redis"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// everything stores something of each kind.
func everything(t *testing.T, b *redis.Backend) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	r := record(1)
	r.Status, r.Source = taskflow.StatusFailed, taskflow.SourceRetry
	r.Tags, r.Stack = map[string]string{"key": "value"}, strings.Repeat("x", 1000)
	save(t, b, r)
	free, held := pending(2, ""), pending(3, "me")
	free.Stack = r.Stack
	put(t, b, free, held)
	must(b.Join(ctx, taskflow.Instance{ID: "me"}, time.Hour))
	must(second(b.ReserveKey(ctx, taskflow.Reservation{Key: "k", TaskID: r.ID, Owner: "me", Retention: time.Hour})))
	must(second(b.TakeSlot(ctx, "nightly", base)))
	must(b.Post(ctx, []byte("hello")))
	must(b.AppendAudit(ctx, taskflow.AuditEntry{ID: r.ID, Time: base, Action: "login"}))
	must(second(b.LoadOrStoreSecret(ctx, "session", []byte("s"))))
	must(b.PutState(ctx, "paused", []byte("s")))
	must(b.PutSeries(ctx, []taskflow.SeriesPoint{{Resolution: time.Minute, Start: base.Truncate(time.Minute), Instance: "me"}}))
	must(second(b.Series(ctx, time.Minute, base.Add(-time.Hour), base)))
	must(second(b.States(ctx, "p")))
}

func TestReadmeNamesAllKeys(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	b := shared(t)
	everything(t, b)
	client := redis.Client(b)
	keys, err := client.Keys(t.Context(), redis.Base(b)+"*").Result()
	if err != nil || len(keys) < 20 {
		t.Fatalf("there are %d keys, %v; want at least 20", len(keys), err)
	}
	kinds := map[string]string{"zset": "sorted set"}
	for _, key := range keys {
		name := strings.TrimPrefix(key, redis.Base(b))
		for of, shown := range map[string]string{
			"index:status:": "index:status:…", "index:name:": "index:name:…", "index:source:": "index:source:…", "index:tag:": "index:tag:key",
			"index:value:": "index:value:3:keyvalue", "free:": "free:name", "key:": "key:…", "series:": "series:60", "series-ids:": "series-ids:60",
		} {
			if strings.HasPrefix(name, of) {
				name = shown
			}
		}
		kind := client.Type(t.Context(), key).Val()
		if k := kinds[kind]; k != "" {
			kind = k
		}
		found := false
		for line := range strings.Lines(string(text)) {
			found = found || strings.HasPrefix(line, "| `") && strings.Contains(line, "`"+name+"`") && strings.Contains(line, kind)
		}
		if !found {
			t.Errorf("README.md does not say that %s is a %s", name, kind)
		}
	}
}

// The user of the README may do what is needed, and no more than that.
func TestUserOfTheReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, line, ok := strings.Cut(string(text), "\nuser ")
	line, _, ends := strings.Cut(line, "\n")
	if !ok || !ends {
		t.Fatal("README.md shows no user")
	}
	server := testserver.Redis(t, testserver.WithArgs(append([]string{"--user"}, strings.Fields(line)...)...))
	name, _, _ := strings.Cut(line, " ")
	b := opened(t, "redis://"+name+":password@"+server.Addr)
	everything(t, b)
	l := listen(t, b)
	l.awaken("at the beginning")
	l.calm()
	if _, err := b.DeleteBefore(t.Context(), base.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	if err := b.PruneSeries(t.Context(), time.Minute, base); err != nil {
		t.Error(err)
	}
	if err := b.Leave(t.Context(), "me"); err != nil {
		t.Error(err)
	}
	l.awaken("after Leave")
	if err := b.ClearPending(t.Context()); err != nil {
		t.Error(err)
	}
}
