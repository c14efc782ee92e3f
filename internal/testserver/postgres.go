package testserver

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
)

type postgres struct{}

func (postgres) name() string       { return "PostgreSQL" }
func (postgres) skipName() string   { return "postgres" }
func (postgres) accounts() []string { return []string{"postgres", "nobody"} }

func (k postgres) find() (p programs, err error) {
	folders := []string{
		"/usr/lib/postgresql/*/bin", "/usr/libexec/postgresql*", "/usr/pgsql-*/bin", "/usr/bin", "/usr/local/bin",
		"/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin", "/opt/homebrew/bin",
	}
	if p.server, err = find(k, []string{"postgres"}, folders); err != nil {
		return p, err
	}
	if p.setup, err = findBeside(p.server, k, "initdb", folders); err != nil {
		return p, err
	}
	p.client, err = findBeside(p.server, k, "psql", folders)
	return p, err
}

const pgUser = "taskflow"

func (k postgres) initialise(ctx context.Context, s *Server) error {
	if err := s.writeFile("password", s.password); err != nil {
		return err
	}
	return s.run(ctx, nil, s.programs.setup, "--pgdata="+s.path("data"), "--username="+pgUser, "--pwfile="+s.path("password"),
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
}

func (postgres) arguments(s *Server) []string {
	args := []string{
		"-D", s.path("data"), "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-k", s.dir.path,
		// Safe when the server is killed: what is committed has been written to the file, and the operating system keeps it.
		// With synchronous_commit=off it would not be. full_page_writes stays on: SIGKILL can cut a write between two pages.
		"-c", "fsync=off",
		"-c", "max_connections=300", "-c", "shared_buffers=32MB",
		"-c", "dynamic_shared_memory_type=mmap", // in the folder: a killed server leaves nothing in /dev/shm
		"-c", "logging_collector=off", "-c", "log_destination=stderr",
	}
	if s.cfg.tls {
		args = append(args, "-c", "ssl=on", "-c", "ssl_cert_file="+s.path(certFile), "-c", "ssl_key_file="+s.path(keyFile))
	}
	return append(args, s.cfg.args...)
}

// ready asks by the socket in the server's own folder: no other server can answer there. TCP connections are accepted from the
// same moment on. The question is the first message of a client; a server that asks back for the password is ready.
func (k postgres) ready(ctx context.Context, s *Server) error {
	conn, err := dialUnix(ctx, s.path(".s.PGSQL."+strconv.Itoa(s.port)))
	if err != nil {
		return err
	}
	defer closeQuietly(conn)
	message := binary.BigEndian.AppendUint32(make([]byte, 4), 3<<16) // the protocol's version 3.0
	message = append(message, "user\x00"+pgUser+"\x00database\x00"+k.database()+"\x00\x00"...)
	binary.BigEndian.PutUint32(message, uint32(len(message)))
	if _, err := conn.Write(message); err != nil {
		return fmt.Errorf("send the startup message: %w", err)
	}
	r := bufio.NewReader(conn)
	first, err := r.ReadByte()
	if err != nil {
		return fmt.Errorf("read the answer to the startup message: %w", err)
	}
	if first != 'R' {
		text, err := io.ReadAll(io.LimitReader(r, 4096))
		return errors.Join(fmt.Errorf("the startup message is answered by %q", text), err)
	}
	return nil
}

// stopSignal asks for PostgreSQL's fast shutdown, which ends connections; SIGTERM would wait for them.
func (postgres) stopSignal() os.Signal { return os.Interrupt }

func (postgres) dispose(s *Server) error { return removeSegment(s.dir.path, false) }

func (postgres) database() string { return "postgres" }

func (postgres) url(s *Server, database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(pgUser, s.password), Host: s.Addr, Path: "/" + database, RawQuery: "sslmode=disable"}
	if s.cfg.tls {
		u.RawQuery = url.Values{"sslmode": {"verify-full"}, "sslrootcert": {s.CAFile}}.Encode()
	}
	return u.String()
}

func (postgres) statements(database string) (create, drop string) {
	// Nobody can be connected to template0, which would hinder copying it.
	return "CREATE DATABASE " + database + " TEMPLATE template0", "DROP DATABASE IF EXISTS " + database + " WITH (FORCE)"
}

func (k postgres) sql(ctx context.Context, s *Server, statement string) error {
	return s.run(ctx, []string{"PGPASSWORD=" + s.password}, s.programs.client, "--no-psqlrc", "--quiet", "--host="+s.dir.path,
		"--port="+strconv.Itoa(s.port), "--username="+pgUser, "--dbname="+k.database(), "--command="+statement)
}
