// Package cli is the command-line tool taskflow: one command a file. A command opens a backend by its URL, works through its contract
// alone, and prints for people or, with --json, for programs, in the field names of the HTTP API.
package cli

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
	"github.com/taskflow-go/taskflow/internal/backendurl"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the command could not do, or not wholly, what it was to do
	exitUsage  = 2 // the command line is wrong
)

// Run executes one command line, without the program's name, and returns the exit code: 0 it is done, 1 it has failed at least in part,
// 2 the command line is wrong. It ends soon after ctx, and says what was done until then. Results go to stdout, everything else to
// stderr; a password is read from the process's standard input.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{now: time.Now, newID: taskflow.NewID, env: os.LookupEnv, open: openers(), actor: actor(), in: os.Stdin, hash: dashboard.HashPassword}
	return a.run(ctx, args, stdout, stderr)
}

// app is what the commands work with. Tests replace what varies from run to run.
type app struct {
	now   func() time.Time
	newID func(time.Time) string
	env   func(string) (string, bool)
	open  map[backendurl.Kind]opener
	actor taskflow.AuditEntry // who the audit trail names

	in   io.Reader
	hash func(password string) (string, error)

	out *bufio.Writer // results
	err io.Writer     // messages; passwords of the URLs in use are taken out
	raw io.Writer     // where err leads in the end, a terminal perhaps

	redact func(string) string // takes the passwords out of an error that goes to stdout
}

// actor is who runs the tool.
func actor() taskflow.AuditEntry {
	e := taskflow.AuditEntry{Actor: "taskflow", Remote: "command line"}
	if u, err := user.Current(); err == nil {
		e.Actor = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		e.Remote += " on " + host
	}
	return e
}

// errReported: the command has printed what has failed.
var errReported = errors.New("failed")

// usageError is a mistake on the command line.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

func (a *app) run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a.out, a.err, a.raw = bufio.NewWriter(stdout), stderr, stderr
	a.redact = func(s string) string { return s }
	name, err := a.dispatch(ctx, args)
	// What the command has printed comes before what is wrong.
	if flushErr := a.out.Flush(); flushErr != nil {
		err = errors.Join(err, fmt.Errorf("write the output: %w", flushErr))
	}
	return a.report(ctx, name, err)
}

// report prints an error and returns the exit code for it.
func (a *app) report(ctx context.Context, name string, err error) int {
	prefix := strings.TrimSpace("taskflow " + name)
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		a.say("%s: %v\nTry: taskflow help%s", prefix, err, strings.TrimPrefix(prefix, "taskflow"))
		return exitUsage
	case errors.Is(err, errReported):
		return exitFailed
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		a.say("%s: interrupted", prefix)
		return exitFailed
	}
	a.say("%s: %s", prefix, oneLine(err))
	return exitFailed
}

// oneLine is an error as one printable line.
func oneLine(err error) string {
	lines := strings.FieldsFunc(strings.ReplaceAll(err.Error(), "taskflow: ", ""), func(r rune) bool { return r == '\n' })
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return printable(strings.Join(lines, "; "))
}

// dispatch finds the command, parses its flags and runs it.
func (a *app) dispatch(ctx context.Context, args []string) (name string, err error) {
	if len(args) == 0 {
		a.overview(a.err)
		return "", &usageError{"a command is missing"}
	}
	name, args = args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		return "", a.help(args)
	case "version", "-version", "--version":
		return "", a.version()
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		flags := flag.NewFlagSet(name, flag.ContinueOnError)
		act := c.make(flags)
		rest, err := parse(flags, args)
		if errors.Is(err, flag.ErrHelp) {
			a.describe(&c)
			return name, nil
		} else if err != nil {
			return name, err
		}
		return name, act(ctx, a, rest)
	}
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return "", usagef("the command %q is unknown; possible: %s, help, version", name, strings.Join(names, ", "))
}

// parse lets flags stand before, between and after the arguments, which it returns. What follows -- is no flag.
func parse(flags *flag.FlagSet, args []string) (rest []string, err error) {
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	dashes := strings.NewReplacer("for flag -", "for flag --", "not defined: -", "not defined: --", "argument: -", "argument: --", ` for -`, ` for --`) // as the help writes flags
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, &usageError{dashes.Replace(err.Error())}
		}
		left := flags.Args()
		if taken := len(args) - len(left); taken > 0 && args[taken-1] == "--" {
			return append(rest, left...), nil
		}
		if len(left) == 0 {
			break
		}
		rest, args = append(rest, left[0]), left[1:]
	}
	return rest, nil
}

// say prints a line to stderr, after what was printed before. A terminal that is gone is no reason to stop.
func (a *app) say(format string, args ...any) {
	_ = a.out.Flush() // run asks it once more, and gets the same error
	_, _ = fmt.Fprintf(a.err, format+"\n", args...)
}

// hide takes the passwords of the URLs out of what is printed from here on.
func (a *app) hide(urls ...backendurl.URL) {
	hidden := backendurl.Redactor(urls...)
	a.err, a.redact = backendurl.Writer(a.raw, hidden), hidden.Replace
}
