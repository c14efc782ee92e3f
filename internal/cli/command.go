package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"text/tabwriter"
)

// command is one of the tool's.
type command struct {
	name    string
	args    string // what follows the flags
	summary string // in the overview
	about   string // in its help
	make    func(*flag.FlagSet) action
}

// action runs a command whose flags have been parsed.
type action func(ctx context.Context, a *app, args []string) error

func commands() []command {
	return []command{
		listCommand(), showCommand(), statsCommand(), instancesCommand(),
		retryCommand(), cancelCommand(), pruneCommand(), migrateCommand(), hashPasswordCommand(),
	}
}

const urlHelp = `A URL is one of
  tasks.db, sqlite:tasks.db  a SQLite file
  redis://HOST:PORT/0        Redis; rediss:// with TLS
  postgres://HOST:PORT/DB    PostgreSQL
  mysql://HOST:PORT/DB       MySQL, MariaDB
  env:NAME                   whatever the environment variable NAME holds
Before HOST may stand USER@, or USER:PASSWORD@; env:NAME keeps a password off the command line.
`

// overview is the help without a command.
func (a *app) overview(w io.Writer) {
	var b strings.Builder
	b.WriteString("taskflow looks into the storage of taskflow and changes it, without a running program.\n\nUsage: taskflow COMMAND [flags] URL …\n\n")
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, c := range commands() {
		_, _ = fmt.Fprintf(t, "  %s\t%s\n", c.name, c.summary) // into memory
	}
	_, _ = fmt.Fprintf(t, "  help\tthis, or with the name of a command, its flags\n  version\tof this program\n")
	_ = t.Flush()
	b.WriteString("\n" + urlHelp)
	_, _ = io.WriteString(w, b.String()) // as in say
}

func (a *app) help(args []string) error {
	if len(args) == 0 {
		a.overview(a.out)
		return nil
	}
	for _, c := range commands() {
		if c.name == args[0] {
			a.describe(&c)
			return nil
		}
	}
	return usagef("there is no command %q", args[0])
}

// describe is the help for a command.
func (a *app) describe(c *command) {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.make(flags)
	usage := "taskflow " + c.name + " "
	flags.VisitAll(func(*flag.Flag) { usage = "taskflow " + c.name + " [flags] " })
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s\n\n%s\n\n", strings.TrimSpace(usage+c.args), strings.TrimSpace(c.about))
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		if value != "" {
			value = " " + value
		}
		if f.DefValue != "" && f.DefValue != "false" {
			usage += " (default " + f.DefValue + ")"
		}
		_, _ = fmt.Fprintf(t, "  --%s%s\t%s\n", f.Name, value, usage) // into memory
	})
	_ = t.Flush()
	_, _ = a.out.WriteString(b.String()) // run looks at the error of Flush
}

// version prints what the build knows of itself.
func (a *app) version() error {
	version := "(unknown version)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	_, err := fmt.Fprintln(a.out, "taskflow", version)
	return err
}
