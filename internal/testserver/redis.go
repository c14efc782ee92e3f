package testserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

type redis struct{}

func (redis) name() string       { return "Redis" }
func (redis) skipName() string   { return "redis" }
func (redis) accounts() []string { return nil }

func (k redis) find() (p programs, err error) {
	// Some distributions ship Valkey in its place, which understands the same command line.
	p.server, err = find(k, []string{"redis-server", "valkey-server"},
		[]string{"/usr/bin", "/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"})
	return p, err
}

func (redis) initialise(_ context.Context, s *Server) error {
	return os.Mkdir(s.path("data"), 0o700)
}

func (redis) arguments(s *Server) []string {
	return append([]string{
		"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1",
		"--unixsocket", s.path("redis.sock"), "--unixsocketperm", "700",
		"--dir", s.path("data"), "--daemonize", "no", "--save", "",
		// "no" is about fsync alone. What is confirmed has been written to the file before; with "everysec" not always.
		"--appendonly", "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0",
	}, s.cfg.args...)
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
		return errors.New("PING is answered by " + answer)
	}
	return nil
}

func (redis) stopSignal() os.Signal { return sigTerm }

func (redis) database() string { return "0" }

func (k redis) url(s *Server, _ string) string {
	u := url.URL{Scheme: "redis", Host: s.Addr, Path: "/" + k.database()}
	for i, arg := range s.cfg.args[:max(0, len(s.cfg.args)-1)] {
		if arg == "--requirepass" {
			u.User = url.UserPassword("", s.cfg.args[i+1])
		}
	}
	return u.String()
}

func (redis) createDatabase(context.Context, *Server, string) error { return nil }

// path returns the path of a file in the server's folder.
func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

// dialUnix connects to a socket for a short question: everything must be done within five seconds.
func dialUnix(ctx context.Context, path string) (net.Conn, error) {
	deadline := time.Now().Add(5 * time.Second)
	conn, err := (&net.Dialer{Deadline: deadline}).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(deadline); err != nil {
		closeQuietly(conn)
		return nil, err
	}
	return conn, nil
}
