package cli

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

func hashPasswordCommand() command {
	return command{
		name: "hash-password", summary: "make the hash of a dashboard user's password",
		about: `
Reads a password of at least 8 characters and prints its hash, for dashboard.User and dashboard.Viewer. On a terminal it asks twice and
shows nothing; otherwise it takes the first line of standard input. The hash has $ in it: put it into single quotes.`,
		make: func(*flag.FlagSet) action { return hashPassword },
	}
}

func hashPassword(_ context.Context, a *app, args []string) error {
	if len(args) > 0 {
		return usagef("the password is not an argument, which other users of the machine could see: it is asked for, or read from standard input")
	}
	password, err := a.password()
	if err != nil {
		return err
	}
	hash, err := a.hash(password)
	if err != nil {
		return err
	}
	return a.printf("%s\n", hash)
}

// password asks for one, or reads a line.
func (a *app) password() (string, error) {
	f, ok := a.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(a.in, 64<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Once more: "} {
		_, _ = io.WriteString(a.err, prompt) // as in say
		b, err := term.ReadPassword(int(f.Fd()))
		_, _ = io.WriteString(a.err, "\n")
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		typed[i] = string(b)
	}
	if typed[0] != typed[1] {
		return "", errors.New("these are two different passwords")
	}
	return typed[0], nil
}
