package testserver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// command returns a command that runs in the server's folder, as the server's account.
func (s *Server) command(program string, args ...string) *exec.Cmd {
	return s.prepare(exec.Command(program, args...))
}

// run runs a program to its end. extra is added to its environment. A failure carries what the program said.
func (s *Server) run(ctx context.Context, extra []string, program string, args ...string) error {
	cmd := s.prepare(exec.CommandContext(ctx, program, args...))
	cmd.Env = append(cmd.Env, extra...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w; it said:\n%s", program, err, out)
	}
	return nil
}

func (s *Server) prepare(cmd *exec.Cmd) *exec.Cmd {
	cmd.Dir = s.dir
	// What the machine's own servers and clients are told by the environment is not for ours. Messages are read, so English.
	for _, v := range os.Environ() {
		if !hasAnyPrefix(v, "PG", "MYSQL_", "MARIADB_", "NOTIFY_SOCKET=", "LC_", "LANG", "HOME=", "TMPDIR=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C", "HOME="+s.dir, "TMPDIR="+s.dir)
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

// writeFile writes a file of the server's folder that its account may read.
func (s *Server) writeFile(name, content string) error {
	if err := os.WriteFile(s.path(name), []byte(content), 0o600); err != nil {
		return err
	}
	return s.account.own(s.path(name))
}
