package fault

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is one running service.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	log  *tail
	url  string
}

// patience bounds every wait: a test that hangs says for what.
const patience = 60 * time.Second

// spawn starts a service and waits until it answers.
func spawn(t *testing.T, s settings) *process {
	t.Helper()
	p := launch(t, s)
	p.awaitReady()
	return p
}

func launch(t *testing.T, s settings) *process {
	t.Helper()
	config, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, done: make(chan struct{}), log: &tail{}, url: "http://" + s.Address}
	p.cmd = exec.CommandContext(context.Background(), os.Args[0])
	p.cmd.Env = append(os.Environ(), roleEnv+"=service", settingsEnv+"="+string(config))
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = orphanless()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the process, which the test kills at the latest
		defer close(p.done)
		_ = p.cmd.Wait() // it is killed on purpose, most of the time
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the last lines of the service at %s:\n%s", s.Address, p.log)
		}
	})
	return p
}

func (p *process) awaitReady() {
	p.t.Helper()
	p.await("the service to answer", func() bool {
		select {
		case <-p.done:
			p.t.Fatalf("the service has ended by itself:\n%s", p.log)
		default:
		}
		status, _, err := get(p.url + "/tasks/metrics")
		return err == nil && status == http.StatusOK
	})
}

// await asks for a condition until it holds.
func (p *process) await(what string, holds func() bool) {
	p.t.Helper()
	await(p.t, what, holds)
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	end := time.NewTimer(patience)
	defer end.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-end.C:
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// signal sends a signal to a process that runs.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v: %v", s, err)
	}
}

// kill ends it by SIGKILL and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// dump ends it, and has its log say what each goroutine did.
func (p *process) dump() {
	p.log.mu.Lock()
	p.log.more = true
	p.log.mu.Unlock()
	_ = p.cmd.Process.Signal(syscall.SIGQUIT) // it may have ended
	select {
	case <-p.done:
	case <-time.After(patience):
	}
}

// stop ends it as an operator would, and fails the test unless it ends well.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("the service does not stop:\n%s", p.log)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Fatalf("the service ended with %d:\n%s", code, p.log)
	}
}

// get asks a running service.
func get(url string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// freeAddress is one that nobody listens on now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// tail keeps the last of what a process writes.
type tail struct {
	mu   sync.Mutex
	text []byte
	more bool // keep what its goroutines do, too
}

func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	keep := 8 << 10
	if l.more {
		keep = 256 << 10
	}
	l.text = append(l.text, p...)
	if over := len(l.text) - keep; over > 0 {
		l.text = append(l.text[:0], l.text[over:]...)
	}
	return len(p), nil
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// deed is a line of the ledger.
type deed struct{ what, number, task, pid string }

// readLedger reads what the functions did, in order.
func readLedger(t *testing.T, path string) (deeds []deed) {
	t.Helper()
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // read only
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		parts := strings.Fields(lines.Text())
		if len(parts) != 4 {
			t.Fatalf("the ledger has a broken line: %q", lines.Text())
		}
		deeds = append(deeds, deed{parts[0], parts[1], parts[2], parts[3]})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(fmt.Errorf("read the ledger: %w", err))
	}
	return deeds
}
