package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/backendurl"
	"github.com/taskflow-go/taskflow/internal/testserver"
)

func TestMain(m *testing.M) { testserver.Main(m) }

// taskflowCommand runs a command line as the program does.
func taskflowCommand(t *testing.T, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	code := Run(t.Context(), args, &out, &err)
	return result{code, out.String(), err.String()}
}

// servers are the URLs of empty storages on real servers.
func servers() map[string]func(*testing.T) string {
	return map[string]func(*testing.T) string{
		"Redis": func(t *testing.T) string { return testserver.SharedRedis(t).NewDatabase(t) + "?prefix=" + rand.Text() },
		"MariaDB": func(t *testing.T) string {
			c := must[*mysql.Config](t)(mysql.ParseDSN(testserver.SharedMariaDB(t).NewDatabase(t)))
			u := url.URL{Scheme: "mariadb", User: url.UserPassword(c.User, c.Passwd), Host: c.Addr, Path: c.DBName, RawQuery: "prefix=shop_"}
			return u.String()
		},
		"PostgreSQL": func(t *testing.T) string {
			return testserver.SharedPostgreSQL(t).NewDatabase(t) + "&schema=tasks&prefix=shop_"
		},
	}
}

// shopFile is a file with the shop and some hundred tasks more.
func shopFile(t *testing.T) (path string, s shop) {
	t.Helper()
	path, s = filepath.Join(t.TempDir(), "shop.db"), newShop()
	s.running.Owner = ""
	seed(t, path, func(b *sqlite.Backend) {
		s.fill(t, b)
		var more []taskflow.Record
		for n := range 350 {
			r := at(24*time.Hour+time.Duration(n)*time.Second, fmt.Sprint("task", n%5), taskflow.StatusSuccess)
			r.Logs, r.LogCount, r.Tags = []string{"línea \"1\"", "二"}, 2, map[string]string{"n": fmt.Sprint(n % 50)}
			more = append(more, r)
		}
		must[int](t)(b.Save(t.Context(), more))
		for n := range 3 {
			noError(t, b.AppendAudit(t.Context(), taskflow.AuditEntry{
				ID: lowestID(noon.Add(time.Duration(n) * time.Second)), Time: noon, Action: "login", Actor: "ada", Remote: "::1",
			}))
		}
	})
	return path, s
}

// wantSameStorage compares what the commands say of two storages.
func wantSameStorage(t *testing.T, got, want string, s *shop) {
	t.Helper()
	for _, args := range [][]string{
		{"list", "--all"}, {"list", "--all", "--json"}, {"list", "--tag", "n=7", "--json"}, {"stats"},
		{"show", "--args", "--json", "@", s.failed.ID}, {"show", "--args", "--json", "@", s.waiting.ID}, {"show", "@", s.closure.ID},
	} {
		on := func(url string) result {
			line := append([]string{}, args...)
			if line[0] != "show" {
				line = append(line, "@")
			}
			for i := range line {
				line[i] = strings.ReplaceAll(line[i], "@", url)
			}
			return taskflowCommand(t, line...)
		}
		if g, w := on(got), on(want); g != w || w.code != exitOK || w.out == "" {
			t.Errorf("%v: the copy gives\n%+v\nwant\n%+v", args, g, w)
		}
	}
}

func TestCommandsOnServers(t *testing.T) {
	t.Parallel()
	for name, at := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := at(t)
			file, s := shopFile(t)
			back := filepath.Join(t.TempDir(), "back.db")
			for _, step := range [][2]string{{file, server}, {server, back}} {
				for round, want := range []string{"history      355     0              0\nunfinished   2       0              0\naudit trail  3       0              0\n",
					"history      0       355            0\nunfinished   0       2              0\naudit trail  0       3              0\n"} {
					if r := taskflowCommand(t, "migrate", step[0], step[1]); r.code != exitOK || !strings.Contains(r.out, want) {
						t.Fatalf("migrate, round %d: %+v", round+1, r)
					}
				}
				wantSameStorage(t, step[1], file, &s)
			}

			if r := taskflowCommand(t, "cancel", "--reason", "enough", server, s.waiting.ID); r.code != exitOK || !strings.Contains(r.out, "cancelled  nobody held it") {
				t.Errorf("cancel: %+v", r)
			}
			if r := taskflowCommand(t, "retry", server, s.failed.ID, s.waiting.ID); r.code != exitOK || !strings.Contains(r.err, "2 tasks retried. What is new waits for an instance that has registered its name; none is running now.") {
				t.Errorf("retry: %+v", r)
			}
			if r := taskflowCommand(t, "list", "--source", "retry", "--status", "pending", "--json", server); len(r.lines(t)) != 2 {
				t.Errorf("list of what is retried: %+v", r)
			}
			if r := taskflowCommand(t, "instances", server); r.code != exitOK || r.err != "No instance is running.\n" {
				t.Errorf("instances: %+v", r)
			}
			older := fmt.Sprintf("%ds", int(time.Since(noon.Add(-23*time.Hour)).Seconds()))
			if r := taskflowCommand(t, "prune", "--older", older, server); r.code != exitOK || !strings.HasPrefix(r.out, "350 finished tasks") {
				t.Errorf("prune: %+v", r)
			}
			if r := taskflowCommand(t, "prune", "--older", older, "--yes", "--json", server); r.code != exitOK || r.lines(t)[0]["deleted"] != 350.0 {
				t.Errorf("prune --yes: %+v", r)
			}
		})
	}
}

// TestCancelThroughARunningManager: what the tool posts is what an instance understands.
func TestCancelThroughARunningManager(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tasks.db")
	task := taskflow.Define("wait", func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() })
	m := must[*taskflow.Manager](t)(taskflow.New(taskflow.WithTasks(task), taskflow.WithLogger(slog.New(slog.DiscardHandler)),
		taskflow.WithBackend(sqlite.Open(path, sqlite.Logger(slog.New(slog.DiscardHandler))))))
	noError(t, m.Start(t.Context()))
	t.Cleanup(func() { noError(t, m.Stop(context.WithoutCancel(t.Context()))) })
	h := must[taskflow.Handle](t)(m.Submit(t.Context(), task.With("x")))
	r := taskflowCommand(t, "cancel", "--wait", "30s", "--reason", "enough", path, h.ID())
	if r.code != exitOK || !strings.Contains(r.out, "cancelled  by instance "+m.Instance()) {
		t.Errorf("%+v", r)
	}
	if r := taskflowCommand(t, "show", path, h.ID()); !strings.Contains(r.out, "error:\n  task cancelled: enough\n") {
		t.Errorf("%+v", r)
	}
	if r := taskflowCommand(t, "retry", path, h.ID()); !strings.Contains(r.err, "; 1 is running now.") {
		t.Errorf("%+v", r)
	}
}

// TestRetryThroughARunningManager: it claims what the tool has added, and runs it with the same arguments.
func TestRetryThroughARunningManager(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tasks.db")
	ran := make(chan string, 2)
	var runs atomic.Int32
	task := taskflow.Define("flaky", func(_ context.Context, arg string) error {
		ran <- arg
		if runs.Add(1) == 1 {
			return errors.New("not yet")
		}
		return nil
	})
	m := must[*taskflow.Manager](t)(taskflow.New(taskflow.WithTasks(task), taskflow.WithLogger(slog.New(slog.DiscardHandler)),
		taskflow.WithLease(time.Second), taskflow.WithBackend(sqlite.Open(path, sqlite.Logger(slog.New(slog.DiscardHandler))))))
	noError(t, m.Start(t.Context()))
	stop := sync.OnceValue(func() error { return m.Stop(context.WithoutCancel(t.Context())) })
	t.Cleanup(func() { noError(t, stop()) })
	h := must[taskflow.Handle](t)(m.Submit(t.Context(), task.With("the same")))
	if err := h.Wait(t.Context()); err == nil {
		t.Fatal("it did not fail")
	}
	var retried []map[string]any
	for len(retried) == 0 { // history is written in batches
		noError(t, t.Context().Err())
		retried = taskflowCommand(t, "retry", "--json", "--status", "failed", "--yes", path).lines(t)
	}
	for range 2 {
		if arg := <-ran; arg != "the same" {
			t.Errorf("it ran with %q", arg)
		}
	}
	noError(t, stop())
	r := taskflowCommand(t, "show", "--json", path, fmt.Sprint(retried[0]["new_task_id"])).lines(t)[0]
	if r["status"] != "success" || r["retry_of"] != h.ID() || r["durable"] != true {
		t.Errorf("the new task is %v", r)
	}
}

// TestPasswordsAreNeverShown, whatever goes wrong.
func TestPasswordsAreNeverShown(t *testing.T) {
	t.Parallel()
	const password = "hunter2secret"
	file, _ := shopFile(t)
	for _, raw := range []string{
		"redis://ada:" + password + "@127.0.0.1:1/0", "redis://ada:" + password + "@127.0.0.1:1/nonsense", "rediss://:" + password + "@127.0.0.1:1",
		"redis://127.0.0.1:1/0?password=" + password, "redis://ada:" + password + "@127.0.0.1:1/0?read_timeout=" + password,
		"postgres://ada:" + password + "@127.0.0.1:1/db", "postgres://ada:" + password + "@127.0.0.1:1/db?sslmode=nonsense",
		"postgres://127.0.0.1:1/db?user=ada&password=" + password, "postgres://ada:" + password + "#@127.0.0.1/db", "postgres://ada:" + password + "@127.0.0.1:port/db",
		"postgres:ada:" + password + "@127.0.0.1/db", "postgresql://ada:%zz" + password + "@127.0.0.1/db",
		"mysql://ada:" + password + "@127.0.0.1:1/db", "mysql://ada:" + password + "@127.0.0.1:1", "mysql://ada:" + password + "@127.0.0.1:1/db?tls=nonsense",
		"mongodb://ada:" + password + "@127.0.0.1/db",
	} {
		for _, args := range [][]string{{"list", raw}, {"migrate", file, raw}, {"migrate", raw, file}, {"migrate", raw, raw}} {
			r := taskflowCommand(t, args...)
			if r.code == exitOK || strings.Contains(r.out+r.err, password) {
				t.Errorf("%v: exit code %d\n%s%s", args, r.code, r.out, r.err)
			}
		}
	}
}

// TestWrongPasswordIsNotShown: servers and drivers speak of the one that was given.
func TestWrongPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	for name, at := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := must[*url.URL](t)(url.Parse(at(t)))
			u.User = url.UserPassword("nobody", "wr0ng&secret")
			r := taskflowCommand(t, "list", u.String())
			if r.code != exitFailed || strings.Contains(r.err, "wr0ng") {
				t.Errorf("%+v", r)
			}
			if shown := must[backendurl.URL](t)(backendurl.Parse(u.String(), nil)).String(); !strings.Contains(r.err, shown) {
				t.Errorf("stderr does not name %s:\n%s", shown, r.err)
			}
		})
	}
}

func TestASocketIsTheDriversToReach(t *testing.T) {
	t.Parallel()
	u := must[*url.URL](t)(url.Parse("mysql://ada:p%40:ss@/shop?tls=false&timeout=3s"))
	c := must[*mysql.Config](t)(mysql.ParseDSN(must[string](t)(socketDSN(u, "/run/mysqld/my sqld.sock"))))
	if c.User != "ada" || c.Passwd != "p@:ss" || c.Net != "unix" || c.Addr != "/run/mysqld/my sqld.sock" || c.DBName != "shop" || c.Timeout != 3*time.Second {
		t.Errorf("%+v", c)
	}
	r := taskflowCommand(t, "list", "mysql://ada:hunter2secret@/shop?socket=/nowhere/mysqld.sock")
	if r.code != exitFailed || !strings.Contains(r.err, "/nowhere/mysqld.sock") || strings.Contains(r.err, "hunter2") {
		t.Errorf("%+v", r)
	}
}

func TestOnlyMigrateBeginsAStorage(t *testing.T) {
	t.Parallel()
	for name, at := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := at(t)
			for _, args := range [][]string{{"list", server}, {"stats", server}, {"prune", "--older", "1h", "--yes", server}, {"migrate", server, filepath.Join(t.TempDir(), "to.db")}} {
				for range 2 { // the first leaves nothing behind
					if r := taskflowCommand(t, args...); r.code != exitFailed || !strings.Contains(r.err, "there is no taskflow data here") {
						t.Errorf("%s: %+v, want that there is no data", args[0], r)
					}
				}
			}
			file, _ := shopFile(t)
			if r := taskflowCommand(t, "migrate", file, server); r.code != exitOK {
				t.Errorf("migrate: %+v", r)
			}
			if r := taskflowCommand(t, "stats", server); r.code != exitOK || r.err != "" {
				t.Errorf("stats: code %d, and on stderr, where nothing is to be: %s", r.code, r.err)
			}
		})
	}
}
