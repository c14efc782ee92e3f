package testserver

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
)

type redis struct{}

func (redis) name() string       { return "Redis" }
func (redis) skipName() string   { return "redis" }
func (redis) accounts() []string { return nil }

func (k redis) find() (p programs, err error) {
	// Some distributions have Valkey in its place, which understands the same command line.
	p.server, err = find(k, []string{"redis-server", "valkey-server"},
		[]string{"/usr/bin", "/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"})
	return p, err
}

func (redis) initialise(context.Context, *Server) error { return nil }

func (redis) arguments(s *Server) []string {
	port := strconv.Itoa(s.port)
	args := []string{"--port", port}
	if s.cfg.tls {
		args = []string{
			"--port", "0", "--tls-port", port, "--tls-auth-clients", "no",
			"--tls-cert-file", s.path(certFile), "--tls-key-file", s.path(keyFile), "--tls-ca-cert-file", s.path(certFile),
		}
	}
	args = append(args, "--bind", "127.0.0.1", "--unixsocket", s.path("redis.sock"), "--unixsocketperm", "700",
		"--dir", s.dir.path, "--daemonize", "no", "--save", "",
		// "no" is about fsync. What is confirmed has been written to the file before; with "everysec" not always.
		"--appendonly", "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0")
	return append(args, s.cfg.args...)
}

// ready asks by the socket in the server's own folder: no other server can answer there, and it needs no TLS. TCP connections
// are accepted from the same moment on.
func (redis) ready(ctx context.Context, s *Server) error {
	conn, err := dialUnix(ctx, s.path("redis.sock"))
	if err != nil {
		return err
	}
	defer closeQuietly(conn)
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return fmt.Errorf("send PING: %w", err)
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return fmt.Errorf("read the answer to PING: %w", err)
	}
	// A server that asks for a password is ready as well.
	if answer = strings.TrimSpace(answer); answer != "+PONG" && !strings.HasPrefix(answer, "-NOAUTH") {
		return fmt.Errorf("PING is answered by %q", answer)
	}
	return nil
}

func (redis) stopSignal() os.Signal { return sigTerm }

func (redis) dispose(*Server) error { return nil }

func (redis) database() string { return "0" }

// url ignores the database: see NewDatabase.
func (k redis) url(s *Server, _ string) string {
	u := url.URL{Scheme: "redis", Host: s.Addr, Path: "/" + k.database()}
	if s.cfg.tls {
		u.Scheme = "rediss"
	}
	for i, arg := range s.cfg.args {
		if arg == "--requirepass" && i+1 < len(s.cfg.args) {
			u.User = url.UserPassword("", s.cfg.args[i+1])
		}
	}
	return u.String()
}

func (redis) statements(string) (create, drop string) { return "", "" }

func (redis) sql(context.Context, *Server, string) error { return nil }
