package cli

import (
	"bytes"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/internal/backendurl"
)

var update = flag.Bool("update", false, "write the outputs of the commands into docs/cli.md")

// TestDocumentShowsRealOutputs runs the commands that docs/cli.md shows, one after the other, and compares what they print, to stdout
// and stderr.
func TestDocumentShowsRealOutputs(t *testing.T) {
	document, err := filepath.Abs("../../docs/cli.md")
	noError(t, err)
	text := string(must[[]byte](t)(os.ReadFile(document)))
	t.Chdir(t.TempDir())
	tl := documented(t)

	var got strings.Builder
	inBlock := false
	ran := map[string]bool{}
	for line := range strings.Lines(text) {
		command, isCommand := strings.CutPrefix(strings.TrimSpace(line), "$ taskflow ")
		switch {
		case strings.HasPrefix(line, "```"):
			inBlock = !inBlock && strings.TrimSpace(line) == "```console"
			got.WriteString(line)
		case inBlock && isCommand:
			got.WriteString(line)
			words := splitWords(command)
			ran[words[0]] = true
			var out bytes.Buffer
			a := *tl.app
			a.run(t.Context(), words, &out, &out)
			got.Write(out.Bytes())
		case !inBlock:
			got.WriteString(line)
		}
	}
	for _, c := range commands() {
		if !ran[c.name] {
			t.Errorf("docs/cli.md does not show %s", c.name)
		}
	}
	for line := range strings.Lines(string(must[[]byte](t)(os.ReadFile(filepath.Join(filepath.Dir(document), "../README.md"))))) {
		if strings.HasPrefix(line, "$ taskflow ") && !strings.Contains(text, "\n"+line) {
			t.Errorf("README.md shows a command that docs/cli.md does not: %s", line)
		}
	}
	if *update {
		noError(t, os.WriteFile(document, []byte(got.String()), 0o600))
	} else if got.String() != text {
		t.Errorf("docs/cli.md shows other outputs; go test ./internal/cli -run Document -update writes:\n%s", got.String())
	}
}

// documented returns a tool in whose folder is tasks.db, with the shop and its running instance, and old.db, whose program has stopped.
func documented(t *testing.T) *tool {
	t.Helper()
	tl := newTool(t)
	quiet := sqlite.Logger(slog.New(slog.DiscardHandler))
	tl.app.hash = func(string) (string, error) {
		return "$argon2id$v=19$m=19456,t=2,p=1$F3XG341Ps9sikPbT1HdN+w$9aB0X1YIfjN13bN220bCLa7qSK064SdO61WLvllyJ9w", nil
	}
	tl.wrap = func(b storage) storage { return seenAt{b} }
	tl.app.open[backendurl.SQLite] = func(u backendurl.URL, _ *slog.Logger, _ bool) (storage, error) {
		b := sqlite.Open(u.Path(), quiet)
		if err := b.Open(t.Context()); err != nil {
			return nil, err
		}
		return seenAt{b}, nil
	}
	tl.app.open[backendurl.Postgres] = tl.app.open[backendurl.Redis]

	s := newShop()
	running := sqlite.Open("tasks.db", quiet)
	noError(t, running.Open(t.Context()))
	t.Cleanup(func() { noError(t, running.Close()) })
	noError(t, running.Join(t.Context(), s.instance(), time.Hour))
	s.fill(t, running)

	seed(t, "old.db", func(b *sqlite.Backend) {
		var finished []taskflow.Record
		for n := range 1234 {
			finished = append(finished, at(time.Duration(n+60)*time.Minute, "send_email", taskflow.StatusSuccess))
		}
		must[int](t)(b.Save(t.Context(), finished))
		noError(t, b.PutPending(t.Context(), []taskflow.Record{at(time.Minute, "resize", taskflow.StatusPending), at(2*time.Minute, "resize", taskflow.StatusPending)}))
	})
	return tl
}

// splitWords splits a command line at spaces, outside of double quotes.
func splitWords(line string) (words []string) {
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		words = append(words, strings.Fields(part)...)
	}
	return words
}
