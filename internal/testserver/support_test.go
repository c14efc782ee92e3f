package testserver_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/internal/testserver"
)

// kind is one kind of server. ask sends a statement to the one at url, over TCP.
type kind struct {
	name        string
	start       func(testing.TB, ...testserver.Option) *testserver.Server
	shared      func(testing.TB) *testserver.Server
	ask         func(ctx context.Context, s *testserver.Server, url, statement string) (string, error)
	write, read string // read is answered by 42 after write
}

var kinds = []kind{
	{
		name: "redis", start: testserver.Redis, shared: testserver.SharedRedis, ask: askRedis,
		write: "SET answer 42", read: "GET answer",
	},
	{
		name: "postgres", start: testserver.PostgreSQL, shared: testserver.SharedPostgreSQL, ask: askPostgreSQL,
		write: "CREATE TABLE answer AS SELECT 42 AS n", read: "SELECT n FROM answer",
	},
	{
		name: "mariadb", start: testserver.MariaDB, shared: testserver.SharedMariaDB, ask: askMariaDB,
		write: "CREATE TABLE answer (n INT) ENGINE=InnoDB; INSERT INTO answer VALUES (42)", read: "SELECT n FROM answer",
	},
}

// each runs f with each kind of server, side by side.
func each(t *testing.T, f func(*testing.T, kind)) {
	t.Helper()
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			testserver.Skip(t, k.name)
			f(t, k)
		})
	}
}

// must returns the answer to a statement that has to be understood.
func (k kind) must(t *testing.T, s *testserver.Server, url, statement string) string {
	t.Helper()
	answer, err := k.ask(t.Context(), s, url, statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return answer
}

// wantData fails the test when what k.write wrote is not there.
func (k kind) wantData(t *testing.T, s *testserver.Server) {
	t.Helper()
	if answer := k.must(t, s, s.URL, k.read); answer != "42" {
		t.Errorf("%s is answered by %q, want 42", k.read, answer)
	}
}

// wantNoData fails the test when what k.write wrote somewhere else is at url.
func (k kind) wantNoData(t *testing.T, s *testserver.Server, url string) {
	t.Helper()
	if answer, err := k.ask(t.Context(), s, url, k.read); answer != "" && err == nil {
		t.Errorf("%s is answered by %q", k.read, answer)
	}
}

// askRedis sends one line, and returns the answer without its framing. It logs in with the password of the URL.
func askRedis(ctx context.Context, s *testserver.Server, address, statement string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	if u.Scheme == "rediss" {
		authority, err := os.ReadFile(s.CAFile)
		if err != nil {
			return "", err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(authority)
		conn = tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: u.Hostname()})
	}
	r := bufio.NewReader(conn)
	if password, ok := u.User.Password(); ok {
		if answer, err := redisLine(conn, r, "AUTH "+password); err != nil || answer != "+OK" {
			return "", fmt.Errorf("AUTH is answered by %q: %w", answer, err)
		}
	}
	answer, err := redisLine(conn, r, statement)
	if err != nil {
		return "", err
	}
	switch answer[0] {
	case '-':
		return "", fmt.Errorf("the server says %s", answer)
	case '$':
		if answer == "$-1" {
			return "", nil
		}
		answer, err = r.ReadString('\n')
	}
	return strings.TrimSpace(answer), err
}

func redisLine(w io.Writer, r *bufio.Reader, line string) (string, error) {
	if _, err := io.WriteString(w, line+"\r\n"); err != nil {
		return "", err
	}
	answer, err := r.ReadString('\n')
	return strings.TrimSpace(answer), err
}

func askPostgreSQL(ctx context.Context, s *testserver.Server, address, statement string) (string, error) {
	return output(exec.CommandContext(ctx, s.Client(), "--no-psqlrc", "--no-password", "--tuples-only", "--no-align", "--command="+statement, address))
}

var dsn = regexp.MustCompile(`^(\w+):(\w+)@tcp\(([\d.]+):(\d+)\)/(\w+)(\?tls=skip-verify)?$`)

func askMariaDB(ctx context.Context, s *testserver.Server, address, statement string) (string, error) {
	part := dsn.FindStringSubmatch(address)
	if part == nil {
		return "", fmt.Errorf("%q is no data source name", address)
	}
	encryption := "--skip-ssl"
	if part[6] != "" {
		encryption = "--ssl-ca=" + s.CAFile
	}
	return output(exec.CommandContext(ctx, s.Client(), "--no-defaults", "--protocol=tcp", "--batch", "--skip-column-names", encryption,
		"--user="+part[1], "--password="+part[2], "--host="+part[3], "--port="+part[4], part[5], "--execute="+statement))
}

func output(cmd *exec.Cmd) (string, error) {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
