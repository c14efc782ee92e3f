package testserver

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// path returns the path of a file in the server's folder.
func (s *Server) path(name string) string { return filepath.Join(s.dir.path, name) }

// writeFile writes a file of the server's folder that its account may read, and no other.
func (s *Server) writeFile(name, content string) error {
	if err := os.WriteFile(s.path(name), []byte(content), 0o600); err != nil {
		return err
	}
	return s.account.own(s.path(name))
}

// command returns a command that runs in the server's folder, as the server's account. It outlives every context.
func (s *Server) command(program string, args ...string) *exec.Cmd {
	return s.prepare(exec.CommandContext(context.Background(), program, args...)) //nolint:gosec // G204: the programs are those of find.go
}

// run runs a program to its end. extra is added to its environment. A failure carries what the program said.
func (s *Server) run(ctx context.Context, extra []string, program string, args ...string) error {
	cmd := s.prepare(exec.CommandContext(ctx, program, args...)) //nolint:gosec // G204: the programs are those of find.go
	cmd.Env = append(cmd.Env, extra...)
	cmd.WaitDelay = 10 * time.Second
	runtime.LockOSThread() // see startProcess
	defer runtime.UnlockOSThread()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w; it said:\n%s", program, err, out)
	}
	return nil
}

func (s *Server) prepare(cmd *exec.Cmd) *exec.Cmd {
	cmd.Dir = s.dir.path
	// What the environment tells the machine's own servers and clients is not for these. What they say is read, so in English.
	for _, v := range os.Environ() {
		if !hasAnyPrefix(v, "PG", "MYSQL_", "MARIADB_", "NOTIFY_SOCKET=", "LC_", "LANG", "HOME=", "TMPDIR=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C", "HOME="+s.dir.path, "TMPDIR="+s.dir.path)
	cmd.ExtraFiles = []*os.File{s.dir.lock} // see folder
	runAs(cmd, s.account)
	return cmd
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

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

// closeQuietly closes a connection that was for one question: whether that works says nothing.
func closeQuietly(c net.Conn) { _ = c.Close() }
