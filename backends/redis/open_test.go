package redis_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/taskflow-go/taskflow/backends/redis"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

// openError opens a backend that cannot be opened, and closes it.
func openError(t *testing.T, b *redis.Backend) error {
	t.Helper()
	err := b.Open(t.Context())
	if err := b.Close(); err != nil {
		t.Errorf("Close after an Open that failed: %v", err)
	}
	if err == nil {
		t.Fatal("Open returned no error")
	}
	return err
}

func TestWhatCannotBeOpenedSaysWhy(t *testing.T) {
	t.Parallel()
	none := freeAddress(t)
	for _, c := range []struct {
		name, url string
		opts      []redis.Option
		is        error
		says      []string
	}{
		{"no URL", "", nil, taskflow.ErrInvalidOption, []string{"redis://user:password@host:6379/0"}},
		{"another scheme", "http://localhost:6379", nil, taskflow.ErrInvalidOption, []string{"http://localhost:6379", "rediss://"}},
		{"no scheme", "localhost:6379", nil, taskflow.ErrInvalidOption, []string{"redis://user"}},
		{"a password that is not escaped", "redis://:geheim%zz@localhost", nil, taskflow.ErrInvalidOption, []string{"escaped"}},
		{"a database that is no number", "redis://:geheim@localhost/tasks", nil, taskflow.ErrInvalidOption, []string{`"tasks"`}},
		{"a parameter that is not known", "redis://:geheim@localhost?pool=3", nil, taskflow.ErrInvalidOption, []string{"pool"}},
		{"a cluster with such a parameter", "redis://:geheim@localhost?addr=localhost:2&pool=3", nil, taskflow.ErrInvalidOption, []string{"pool"}},
		{"an empty prefix", "redis://:geheim@" + none, []redis.Option{redis.Prefix("")}, taskflow.ErrInvalidOption, []string{"Prefix", `""`}},
		{"a prefix with braces", "redis://:geheim@" + none, []redis.Option{redis.Prefix("a{b}")}, taskflow.ErrInvalidOption, []string{"Prefix", `"a{b}"`}},
		{"a long prefix", "redis://:geheim@" + none, []redis.Option{redis.Prefix(strings.Repeat("x", 101))}, taskflow.ErrInvalidOption, []string{"1 to 100"}},
		{"a nil logger", "redis://:geheim@" + none, []redis.Option{redis.Logger(nil)}, taskflow.ErrInvalidOption, []string{"Logger", "slog.DiscardHandler"}},
		{"a nil option", "redis://:geheim@" + none, []redis.Option{nil}, taskflow.ErrInvalidOption, []string{"option 1"}},
		{"two bad options", "redis://:geheim@" + none, []redis.Option{nil, redis.Prefix("")}, taskflow.ErrInvalidOption, []string{"option 1", "Prefix"}},
		{"nobody listens", "redis://:geheim@" + none + "/3", nil, redis.ErrUnavailable, []string{none, "refused", "{taskflow}"}},
		{"no such socket", "unix:///nowhere/redis.sock", nil, redis.ErrUnavailable, []string{"/nowhere/redis.sock"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := openError(t, redis.Open(c.url, c.opts...))
			if !errors.Is(err, c.is) {
				t.Errorf("Open returned %v; want one that is %v", err, c.is)
			}
			for _, text := range append(c.says, "redis: open: ") {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("Open returned %v, which does not say %q", err, text)
				}
			}
			if strings.Contains(err.Error(), "geheim") {
				t.Errorf("Open returned %v: it tells the password", err)
			}
		})
	}
}

// freeAddress returns an address where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

func TestNilClient(t *testing.T) {
	t.Parallel()
	if err := openError(t, redis.OpenClient(nil)); !errors.Is(err, taskflow.ErrInvalidOption) {
		t.Errorf("Open with a nil client returned %v, want ErrInvalidOption", err)
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t, testserver.WithArgs("--requirepass", "geheim"))
	for _, url := range []string{"redis://" + server.Addr, "redis://:wrong@" + server.Addr, "redis://nobody:geheim@" + server.Addr} {
		err := openError(t, redis.Open(url, quiet()))
		if !errors.Is(err, redis.ErrAccess) || !strings.Contains(err.Error(), "password") || strings.Contains(err.Error(), "geheim") {
			t.Errorf("Open of %s returned %v; want ErrAccess", url, err)
		}
	}
	save(t, opened(t, server.URL), record(1))
}

func TestUserWhoMayNotWrite(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t, testserver.WithArgs(strings.Fields(`
		--user reader on >geheim ~* &* +@all -@write
		--user stranger on >geheim ~other:* &* +@all
		--user plain on >geheim ~* &* +@all -@scripting
		--user modest on >geheim ~{taskflow}:* &{taskflow}:* +@all -@dangerous -@admin -info`)...))
	for _, user := range []string{"reader", "stranger", "plain"} {
		err := openError(t, redis.Open("redis://"+user+":geheim@"+server.Addr, quiet()))
		if !errors.Is(err, redis.ErrAccess) {
			t.Errorf("Open by %s returned %v; want ErrAccess", user, err)
		}
	}
	save(t, opened(t, "redis://modest:geheim@"+server.Addr), record(1)) // no more is needed
}

func TestDatabaseThatIsNotThere(t *testing.T) {
	t.Parallel()
	server := testserver.SharedRedis(t)
	err := openError(t, redis.Open("redis://"+server.Addr+"/99", quiet()))
	if !errors.Is(err, taskflow.ErrInvalidOption) || !strings.Contains(err.Error(), "/99") {
		t.Errorf("Open of database 99 returned %v; want ErrInvalidOption", err)
	}
}

func TestReplica(t *testing.T) {
	t.Parallel()
	primary := testserver.Redis(t)
	host, port, err := net.SplitHostPort(primary.Addr)
	if err != nil {
		t.Fatal(err)
	}
	replica := testserver.Redis(t, testserver.WithArgs("--replicaof", host+" "+port, "--replica-serve-stale-data", "yes"))
	if err := openError(t, redis.Open(replica.URL, quiet())); !errors.Is(err, redis.ErrReadOnly) {
		t.Errorf("Open of a replica returned %v; want ErrReadOnly", err)
	}
	b := opened(t, primary.URL)
	save(t, b, record(1))
	config(t, b, "replicaof "+strings.ReplaceAll(replica.Addr, ":", " ")) // a failover, and the client still has its connection
	if _, err := b.Save(t.Context(), records(2, 3)); !errors.Is(err, redis.ErrReadOnly) {
		t.Errorf("Save to what is a replica now returned %v; want ErrReadOnly", err)
	}
}

// config sends a command to the server of a backend.
func config(t *testing.T, b *redis.Backend, command string) {
	t.Helper()
	var args []any
	for word := range strings.FieldsSeq(command) {
		args = append(args, word)
	}
	if err := redis.Client(b).Do(t.Context(), args...).Err(); err != nil {
		t.Fatalf("%s: %v", command, err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	secure, plain := testserver.Redis(t, testserver.WithTLS()), testserver.SharedRedis(t)
	for _, c := range []struct{ url, says string }{
		{"redis://" + secure.Addr, "rediss://"},
		{"rediss://" + plain.Addr + "?dial_timeout=500ms", "does not speak TLS"},
		{secure.URL, "certificate"},
	} {
		err := openError(t, redis.Open(c.url, quiet()))
		if !errors.Is(err, redis.ErrUnavailable) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("Open of %s returned %v; want ErrUnavailable, and that it says %q", c.url, err, c.says)
		}
	}
	pem, err := os.ReadFile(secure.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := goredis.NewClient(&goredis.Options{Addr: secure.Addr, TLSConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}})
	b := redis.OpenClient(client, quiet())
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	save(t, b, record(1))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Errorf("after Close the client that was given answers %v: it is its owner's to close", err)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if err := openError(t, redis.OpenClient(client)); !strings.Contains(err.Error(), secure.Addr) {
		t.Errorf("Open with a closed client returned %v; want the server's address in it", err)
	}
}

func TestUnixSocketAndDatabase(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t)
	b := opened(t, server.URL)
	dir, err := redis.Client(b).ConfigGet(t.Context(), "unixsocket").Result()
	if err != nil {
		t.Fatal(err)
	}
	save(t, opened(t, "unix://"+dir["unixsocket"]+"?db=2"), records(0, 2)...)
	if n := stored(t, b); n != 0 {
		t.Errorf("%d records are in database 0; want none, they were saved in database 2", n)
	}
	if n := stored(t, opened(t, "redis://"+server.Addr+"/2")); n != 2 {
		t.Errorf("%d records are in database 2; want 2", n)
	}
}

func TestPrefixesStayApart(t *testing.T) {
	t.Parallel()
	b, other := shared(t), shared(t)
	save(t, b, records(0, 3)...)
	put(t, b, pending(5, ""))
	if n := stored(t, other); n != 0 {
		t.Errorf("under another prefix there are %d records", n)
	}
	if rows, err := other.Claim(t.Context(), "owner", []string{"send_email"}, 10); len(rows) != 0 || err != nil {
		t.Errorf("under another prefix Claim got %d rows, %v", len(rows), err)
	}
}

func TestOpenTwice(t *testing.T) {
	t.Parallel()
	b := shared(t)
	if err := b.Open(t.Context()); err == nil {
		t.Error("Open of an open backend returned no error")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Open(t.Context()); !errors.Is(err, redis.ErrClosed) {
		t.Errorf("Open after Close returned %v, want ErrClosed", err)
	}
}

// What failed because the server was away works when it is back.
func TestOpenAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t)
	server.Stop()
	b := redis.Open(server.URL, quiet())
	if err := b.Open(t.Context()); !errors.Is(err, redis.ErrUnavailable) {
		t.Fatalf("Open without a server returned %v, want ErrUnavailable", err)
	}
	server.Start()
	if err := b.Open(t.Context()); err != nil {
		t.Fatalf("Open again: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestKeysOfSomethingElseAreLeftAlone(t *testing.T) {
	t.Parallel()
	server := testserver.SharedRedis(t)
	client := redis.Client(shared(t))
	for _, c := range []struct {
		name, key string
		write     func(key string) error
		is        error
		says      string
	}{
		{"a newer version", "version", func(k string) error { return client.Set(t.Context(), k, "taskflow 2", 0).Err() }, redis.ErrNewerSchema, "version 2"},
		{"another application", "version", func(k string) error { return client.Set(t.Context(), k, "shop 7", 0).Err() }, redis.ErrForeign, "shop 7"},
		{"a version of another type", "version", func(k string) error { return client.LPush(t.Context(), k, "1").Err() }, redis.ErrForeign, "version is a list"},
		{"a list in place of a hash", "history", func(k string) error { return client.LPush(t.Context(), k, "1").Err() }, redis.ErrForeign, "history is a list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			prefix := newPrefix()
			key := "{" + prefix + "}:" + c.key
			if err := c.write(key); err != nil {
				t.Fatal(err)
			}
			before := client.Dump(t.Context(), key).Val()
			err := openError(t, redis.Open(server.URL, redis.Prefix(prefix), quiet()))
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), prefix) {
				t.Errorf("Open returned %v; want %v, and that it says %q and the prefix", err, c.is, c.says)
			}
			keys := client.Keys(t.Context(), "*"+prefix+"*").Val()
			if !slices.Equal(keys, []string{key}) || client.Dump(t.Context(), key).Val() != before {
				t.Errorf("the keys have been changed: there are %q", keys)
			}
		})
	}
}

// A server that was emptied while a manager ran has rows and no version.
func TestVersionThatIsGoneIsWrittenAgain(t *testing.T) {
	t.Parallel()
	server, prefix := testserver.SharedRedis(t), newPrefix()
	b := opened(t, server.URL, redis.Prefix(prefix))
	save(t, b, records(0, 3)...)
	if err := redis.Client(b).Del(t.Context(), "{"+prefix+"}:version").Err(); err != nil {
		t.Fatal(err)
	}
	if n := stored(t, opened(t, server.URL, redis.Prefix(prefix))); n != 3 {
		t.Errorf("%d records are found, want 3", n)
	}
	if v := redis.Client(b).Get(t.Context(), "{"+prefix+"}:version").Val(); v != "taskflow 1" {
		t.Errorf("the version is %q", v)
	}
}

func TestOldServersAreKnown(t *testing.T) {
	t.Parallel()
	for version, old := range map[string]bool{
		"5.0.14": true, "6.0.16": true, "6.2.0": false, "6.2.14": false, "7.0.15": false, "10.0.0": false, "": false, "unstable": false, "x.y.z": false,
	} {
		if got := redis.Older(version); got != old {
			t.Errorf("%q is too old: %v, want %v", version, got, old)
		}
	}
}

func TestDangerousSettingsAreLogged(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t, testserver.WithArgs("--appendonly", "no", "--maxmemory-policy", "allkeys-lru"))
	var log logged
	opened(t, server.URL, redis.Logger(log.logger()))
	for _, want := range []string{"appendonly yes", "maxmemory-policy noeviction", "allkeys-lru", server.Addr} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, log.String())
		}
	}
	var looks logged
	opened(t, server.URL, redis.ExistingOnly(), redis.Logger(looks.logger()))
	if looks.String() != "" {
		t.Errorf("who only looks is told\n%s", looks.String())
	}
	var calm logged
	opened(t, testserver.SharedRedis(t).URL, redis.Prefix(newPrefix()), redis.Logger(calm.logger()))
	if calm.String() != "" {
		t.Errorf("of a server with good settings the log says\n%s", calm.String())
	}
}

// logged is a logger whose output can be read meanwhile.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }
