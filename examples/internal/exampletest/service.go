//go:build unix

// Package exampletest starts the real program of an example and uses it as its users would.
package exampletest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	taskflow "github.com/taskflow-go/taskflow/core"
)

const patience = 30 * time.Second

// FromUploadToHistory is the real program, of the folder that the test runs in, on real pictures, from the upload over the retried storage to the history after a restart.
func FromUploadToHistory(t *testing.T) {
	t.Helper()
	p := newProgram(t)
	p.start()
	seen := p.follow()

	want := map[string]map[string]image.Point{
		"hills.jpg":   {"64.jpg": {X: 64, Y: 42}, "160.jpg": {X: 160, Y: 106}, "320.jpg": {X: 320, Y: 213}},
		"evening.png": {"64.png": {X: 48, Y: 64}, "160.png": {X: 120, Y: 160}, "320.png": {X: 240, Y: 320}},
		"small.gif":   {"64.png": {X: 64, Y: 48}, "160.png": {X: 160, Y: 120}, "320.png": {X: 200, Y: 150}}, // it has 200 × 150 itself
	}
	for sample, sizes := range want {
		var id string
		switch sample {
		case "evening.png":
			id = p.uploadRaw(sample)
		case "small.gif":
			id = p.uploadForm(sample, "Multipart/Form-Data") // as good as in small letters
		default:
			id = p.uploadForm(sample, "multipart/form-data")
		}
		got := p.thumbnails(id, len(sizes))
		if !maps.Equal(got, sizes) {
			t.Errorf("%s has the thumbnails %v, want %v", sample, got, sizes)
		}
	}

	corrupt := p.uploadForm("corrupt.jpg", "multipart/form-data")
	failed := p.waitRecord("tag=upload:"+corrupt+"&status=failed", "the corrupt picture's record")
	if !strings.Contains(failed.Error, "the jpeg picture is damaged") || failed.RetriesUsed() != 0 {
		t.Errorf("the corrupt picture failed with %q after %d retries, want a clear error at once", failed.Error, failed.RetriesUsed())
	}
	var retried taskflow.Record
	p.eventually("a publication succeeds after a retry", func() bool {
		for _, r := range p.list("func_name=publish_thumbnail&status=success&include=logs") {
			if r.RetriesUsed() > 0 {
				retried = r
				return true
			}
		}
		return false
	})
	if log := strings.Join(retried.Logs, "\n"); !strings.Contains(log, "storage is busy") || !strings.Contains(log, "stored") {
		t.Errorf("the retried task's log lacks the failure or the success:\n%s", log)
	}

	p.postJSON("/signup", `{"email":"ada@example.com"}`, http.StatusCreated)
	p.waitRecord("func_name=welcome&status=success", "the closure's record")
	for _, email := range []string{"", "nobody", "a@b c", "@example.com", "Ada <ada@example.com>"} {
		p.postJSON("/signup", `{"email":"`+email+`"}`, http.StatusBadRequest)
	}
	p.postJSON("/orders", `{"item":"frame","quantity":2,"email":"ada@example.com"}`, http.StatusAccepted)
	order := p.waitRecord("func_name=confirm_order&status=success", "the order's record")
	if !order.Durable {
		t.Error("the order was not submitted durably")
	}
	p.postJSON("/orders", `{"item":"frame"}`, http.StatusBadRequest)

	p.terminate()
	if !slices.Contains(seen.names(), "task") || seen.last() != "bye" {
		t.Errorf("the live stream had %v, want tasks and a goodbye", seen.names())
	}
	p.start()
	for id, status := range map[string]taskflow.Status{
		failed.ID: taskflow.StatusFailed, retried.ID: taskflow.StatusSuccess, order.ID: taskflow.StatusSuccess,
	} {
		var r taskflow.Record
		p.getJSON("/tasks/"+id, &r)
		if r.Status != status {
			t.Errorf("after the restart task %s is %s, want %s", id, r.Status, status)
		}
	}
	p.terminate()
}

// program is the built command, its files and its running process.
type program struct {
	t              *testing.T
	binary, folder string
	url            string
	cmd            *exec.Cmd
}

func newProgram(t *testing.T) *program {
	t.Helper()
	p := &program{t: t, folder: t.TempDir()}
	p.binary = filepath.Join(p.folder, "service")
	if out, err := exec.Command("go", "build", "-o", p.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return p
}

func (p *program) start() {
	p.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	addr := ln.Addr().String()
	if err := ln.Close(); err != nil {
		p.t.Fatal(err)
	}
	p.url = "http://" + addr
	p.cmd = exec.Command(p.binary, "-addr", addr, "-db", filepath.Join(p.folder, "tasks.db"), "-dir", p.folder)
	log := new(bytes.Buffer)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	cmd := p.cmd
	p.t.Cleanup(func() {
		if cmd.ProcessState == nil { // the test failed before terminate
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		if p.t.Failed() {
			p.t.Logf("the program said:\n%s", log)
		}
	})
	p.eventually("the service answers", func() bool {
		resp, err := http.Get(p.url + "/tasks/metrics")
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	})
}

// terminate stops the program as a system does, and expects a clean end.
func (p *program) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("the program ended with %v", err)
	}
}

func (p *program) eventually(what string, cond func() bool) {
	p.t.Helper()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	timeout := time.After(patience)
	for !cond() {
		select {
		case <-poll.C:
		case <-timeout:
			p.t.Fatalf("still not so after %v: %s", patience, what)
		}
	}
}

func (p *program) uploadForm(sample, kind string) (id string) {
	p.t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "gin", "samples", sample))
	if err != nil {
		p.t.Fatal(err)
	}
	body := new(bytes.Buffer)
	form := multipart.NewWriter(body)
	part, err := form.CreateFormFile("image", sample)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := part.Write(content); err != nil {
		p.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		p.t.Fatal(err)
	}
	return p.upload(kind+"; boundary="+form.Boundary(), body)
}

func (p *program) uploadRaw(sample string) (id string) {
	p.t.Helper()
	f, err := os.Open(filepath.Join("..", "gin", "samples", sample))
	if err != nil {
		p.t.Fatal(err)
	}
	return p.upload("image/png", f) // the client closes it
}

func (p *program) upload(contentType string, body io.Reader) (id string) {
	p.t.Helper()
	resp, err := http.Post(p.url+"/images", contentType, body)
	if err != nil {
		p.t.Fatal(err)
	}
	var answer struct{ ID string }
	if err := decode(resp, http.StatusAccepted, &answer); err != nil {
		p.t.Fatalf("POST /images: %v", err)
	}
	return answer.ID
}

func decode(resp *http.Response, status int, into any) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != status {
		return fmt.Errorf("%s: %s", resp.Status, body)
	}
	return json.Unmarshal(body, into)
}

func (p *program) getJSON(path string, into any) {
	p.t.Helper()
	resp, err := http.Get(p.url + path)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := decode(resp, http.StatusOK, into); err != nil {
		p.t.Fatalf("GET %s: %v", path, err)
	}
}

func (p *program) postJSON(path, body string, status int) {
	p.t.Helper()
	p.post(path, strings.NewReader(body), status)
}

func (p *program) post(path string, body io.Reader, status int) {
	p.t.Helper()
	resp, err := http.Post(p.url+path, "application/json", body)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != status {
		p.t.Errorf("POST %s: %s (%v), want %d", path, resp.Status, err, status)
	}
}

func (p *program) list(query string) (records []taskflow.Record) {
	p.t.Helper()
	p.getJSON("/tasks?"+query, &records)
	return records
}

func (p *program) waitRecord(query, what string) (r taskflow.Record) {
	p.t.Helper()
	p.eventually(what, func() bool {
		records := p.list(query)
		if len(records) > 0 {
			r = records[0]
		}
		return len(records) > 0
	})
	return r
}

// thumbnails waits until n are published and returns their real dimensions.
func (p *program) thumbnails(id string, n int) map[string]image.Point {
	p.t.Helper()
	var answer struct{ Thumbnails []string }
	p.eventually(fmt.Sprintf("%d thumbnails of %s", n, id), func() bool {
		p.getJSON("/images/"+id, &answer)
		return len(answer.Thumbnails) == n
	})
	got := map[string]image.Point{}
	for _, path := range answer.Thumbnails {
		resp, err := http.Get(p.url + path)
		if err != nil {
			p.t.Fatal(err)
		}
		picture, _, err := image.Decode(resp.Body)
		if err != nil {
			p.t.Errorf("GET %s: %s: %v", path, resp.Status, err)
			continue
		}
		if err := resp.Body.Close(); err != nil {
			p.t.Error(err)
		}
		got[filepath.Base(path)] = picture.Bounds().Size()
	}
	return got
}

// stream collects the names of what comes on the live stream until it ends.
type stream struct{ all chan []string }

func (p *program) follow() *stream {
	p.t.Helper()
	resp, err := http.Get(p.url + "/tasks/dashboard/stream")
	if err != nil {
		p.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		p.t.Fatalf("the live stream: %s", resp.Status)
	}
	s := &stream{all: make(chan []string, 1)}
	go func() { // ends with the program
		var names []string
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				names = append(names, name)
			}
		}
		_ = resp.Body.Close()
		s.all <- names
	}()
	return s
}

// names are those of the whole stream, which must have ended or be about to.
func (s *stream) names() []string {
	names := <-s.all
	s.all <- names
	return names
}

func (s *stream) last() string {
	names := s.names()
	if len(names) == 0 {
		return ""
	}
	return names[len(names)-1]
}
