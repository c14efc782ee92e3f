package testserver

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
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
	// The others must be of the same version.
	folders = append([]string{filepath.Dir(p.server)}, folders...)
	if p.setup, err = find(k, []string{"mariadb-install-db"}, folders); err != nil {
		return p, err
	}
	p.client, err = find(k, []string{"mariadb"}, folders)
	return p, err
}

const mariaUser = "taskflow"

func (k mariadb) initialise(ctx context.Context, s *Server) error {
	// The server runs this before it accepts connections, at each start.
	sql := fmt.Sprintf("CREATE DATABASE IF NOT EXISTS %s;\n", k.database())
	for _, host := range []string{"%", "localhost"} {
		sql += fmt.Sprintf("CREATE USER IF NOT EXISTS %s@'%s' IDENTIFIED BY '%s';\n", mariaUser, host, s.password)
		sql += fmt.Sprintf("GRANT ALL PRIVILEGES ON *.* TO %s@'%s' WITH GRANT OPTION;\n", mariaUser, host)
	}
	if err := s.writeFile("init.sql", sql); err != nil {
		return err
	}
	// The root account is one that nobody can log in to by a password.
	return s.run(ctx, nil, s.programs.setup, "--no-defaults", "--datadir="+s.path("data"), "--skip-test-db",
		"--auth-root-authentication-method=socket", "--skip-name-resolve", "--innodb-log-file-size=32M")
}

func (mariadb) arguments(s *Server) []string {
	return append([]string{
		"--no-defaults", "--datadir=" + s.path("data"), "--tmpdir=" + s.dir, "--init-file=" + s.path("init.sql"),
		"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(s.port), "--socket=" + s.path("mariadb.sock"),
		"--pid-file=" + s.path("mariadb.pid"), "--skip-name-resolve", "--max-connections=300",
		// 2 writes to the file at each commit, and leaves fsync for later: safe for a killed server. 0 would not be.
		"--innodb-flush-log-at-trx-commit=2",
		"--innodb-buffer-pool-size=32M", "--innodb-log-file-size=32M",
	}, s.cfg.args...)
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

func (mariadb) database() string { return "taskflow" }

func (mariadb) url(s *Server, database string) string {
	return fmt.Sprintf("%s:%s@tcp(%s)/%s", mariaUser, s.password, s.Addr, database)
}

func (mariadb) createDatabase(ctx context.Context, s *Server, name string) error {
	return s.run(ctx, []string{"MYSQL_PWD=" + s.password}, s.programs.client, "--no-defaults", "--socket="+s.path("mariadb.sock"),
		"--user="+mariaUser, "--execute=CREATE DATABASE "+name)
}
