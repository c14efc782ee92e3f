package testserver

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

type mariadb struct{}

func (mariadb) name() string       { return "MariaDB" }
func (mariadb) skipName() string   { return "mariadb" }
func (mariadb) accounts() []string { return []string{"mysql", "nobody"} }

func (k mariadb) find() (p programs, err error) {
	folders := []string{
		"/usr/sbin", "/usr/libexec", "/usr/bin", "/usr/local/sbin", "/usr/local/bin",
		"/opt/homebrew/opt/mariadb*/bin", "/usr/local/opt/mariadb*/bin", "/opt/homebrew/bin",
	}
	if p.server, err = find(k, []string{"mariadbd"}, folders); err != nil {
		return p, err
	}
	if p.setup, err = findBeside(p.server, k, "mariadb-install-db", folders); err != nil {
		return p, err
	}
	p.client, err = findBeside(p.server, k, "mariadb", folders)
	return p, err
}

const mariaUser = "taskflow"

func (k mariadb) initialise(ctx context.Context, s *Server) error {
	// The server runs this, a statement a line, before it accepts connections, at each start.
	var sql strings.Builder
	fmt.Fprintf(&sql, "CREATE DATABASE IF NOT EXISTS %s;\n", k.database())
	for _, host := range []string{"%", "localhost"} {
		fmt.Fprintf(&sql, "CREATE USER IF NOT EXISTS %s@'%s' IDENTIFIED BY '%s';\n", mariaUser, host, s.password)
		fmt.Fprintf(&sql, "GRANT ALL PRIVILEGES ON *.* TO %s@'%s' WITH GRANT OPTION;\n", mariaUser, host)
	}
	if err := s.writeFile("init.sql", sql.String()); err != nil {
		return err
	}
	// The root account that this creates has no password to log in by.
	return s.run(ctx, nil, s.programs.setup, "--no-defaults", "--datadir="+s.path("data"), "--skip-test-db",
		"--auth-root-authentication-method=socket", "--skip-name-resolve", "--innodb-log-file-size=32M")
}

func (mariadb) arguments(s *Server) []string {
	args := []string{
		"--no-defaults", "--datadir=" + s.path("data"), "--tmpdir=" + s.dir.path, "--init-file=" + s.path("init.sql"),
		"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(s.port), "--socket=" + s.path("mariadb.sock"),
		"--pid-file=" + s.path("mariadb.pid"), "--skip-name-resolve", "--max-connections=300",
		// 2 writes to the file at each commit, and leaves fsync for later: safe when the server is killed. 0 would not be.
		"--innodb-flush-log-at-trx-commit=2",
		"--innodb-buffer-pool-size=32M", "--innodb-log-file-size=32M",
	}
	if s.cfg.tls {
		args = append(args, "--require-secure-transport=ON",
			"--ssl-cert="+s.path(certFile), "--ssl-key="+s.path(keyFile), "--ssl-ca="+s.path(certFile))
	}
	return append(args, s.cfg.args...)
}

// ready asks by the socket in the server's own folder: no other server can answer there. TCP connections are accepted from the
// same moment on. A server greets its clients as soon as it takes them.
func (mariadb) ready(ctx context.Context, s *Server) error {
	conn, err := dialUnix(ctx, s.path("mariadb.sock"))
	if err != nil {
		return err
	}
	defer closeQuietly(conn)
	var greeting [5]byte // three of length, a number, the version of the protocol
	if _, err := io.ReadFull(conn, greeting[:]); err != nil {
		return fmt.Errorf("read the greeting: %w", err)
	}
	if greeting[4] != 10 {
		return fmt.Errorf("the greeting begins with %x", greeting)
	}
	return nil
}

func (mariadb) stopSignal() os.Signal { return sigTerm }

func (mariadb) dispose(*Server) error { return nil }

func (mariadb) database() string { return "taskflow" }

func (mariadb) url(s *Server, database string) string {
	dsn := fmt.Sprintf("%s:%s@tcp(%s)/%s", mariaUser, s.password, s.Addr, database)
	if s.cfg.tls {
		dsn += "?tls=skip-verify"
	}
	return dsn
}

// statements leaves databases until the server ends: they are small, and dropping one waits for transactions that are open.
func (mariadb) statements(database string) (create, drop string) {
	return "CREATE DATABASE " + database, ""
}

func (mariadb) sql(ctx context.Context, s *Server, statement string) error {
	return s.run(ctx, []string{"MYSQL_PWD=" + s.password}, s.programs.client, "--no-defaults", "--socket="+s.path("mariadb.sock"),
		"--user="+mariaUser, "--execute="+statement)
}
