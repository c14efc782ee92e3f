//go:build unix

package exampletest

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/examples/internal/service"
)

// RefusesWhatIsTooLarge sends more than the program takes, and a small file that would become a large picture.
func RefusesWhatIsTooLarge(t *testing.T) {
	t.Helper()
	p := newProgram(t)
	p.start()
	resp, err := http.Post(p.url+"/images", "image/png", io.LimitReader(zeros{}, service.MaxUpload+1))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("an upload of more than %d bytes: %s (%v)", service.MaxUpload, resp.Status, err)
	}
	for _, path := range []string{"/signup", "/orders"} {
		// One byte too many, and of unknown length: a server may refuse what is larger, and hang up, before the client has written it all.
		text := `{"email":"`
		text += strings.Repeat("x", service.MaxUpload+1-len(text))
		body := io.LimitReader(strings.NewReader(text), int64(len(text)))
		p.post(path, body, http.StatusRequestEntityTooLarge)
	}
	// A bomb: 70 bytes that claim to be a picture of ten thousand million pixels.
	bomb := []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00")
	id := p.upload("image/gif", bytes.NewReader(bomb))
	r := p.waitRecord("tag=upload:"+id+"&status=failed", "the bomb's record")
	if !strings.Contains(r.Error, "65535 × 65535 pixels is refused") {
		t.Errorf("the bomb failed with %q", r.Error)
	}
	p.terminate()
}

// RefusesWhatUnpacksToTooMuch sends bodies that are small and say that they are packed.
func RefusesWhatUnpacksToTooMuch(t *testing.T) {
	t.Helper()
	p := newProgram(t)
	p.start()
	const unpacked = 2 * service.MaxUpload
	const order, orderEnd = `{"item":"frame","quantity":2,"email":"ada@example.com","x":"`, `"}`
	const form, formEnd = "--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\n", "\r\n--x--\r\n"
	for _, tt := range []struct {
		path, kind, begin, end string
		want                   int // 202: it is kept as it came
	}{
		{"/signup", "application/json", order, orderEnd, http.StatusBadRequest},
		{"/orders", "application/json", order, orderEnd, http.StatusBadRequest},
		{"/images", "image/png", "", "", http.StatusAccepted},
		{"/images", "multipart/form-data; boundary=x", form, formEnd, http.StatusBadRequest},
	} {
		packed := new(bytes.Buffer)
		z := gzip.NewWriter(packed)
		if _, err := io.Copy(z, io.MultiReader(strings.NewReader(tt.begin), io.LimitReader(letters{}, unpacked), strings.NewReader(tt.end))); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodPost, p.url+tt.path, packed)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", tt.kind)
		req.Header.Set("Content-Encoding", "gzip")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != tt.want {
			t.Errorf("POST %s of a packed %s: %s (%v), want %d", tt.path, tt.kind, resp.Status, err, tt.want)
		}
	}
	p.terminate()
	var kept int64
	err := filepath.WalkDir(filepath.Join(p.folder, "incoming"), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			kept += info.Size()
		}
		return err
	})
	if err != nil || kept == 0 || kept > service.MaxUpload {
		t.Errorf("%d bytes are kept of the uploads (%v), want what was sent, which is far less than %d", kept, err, service.MaxUpload)
	}
}

// letters is a text without end.
type letters struct{}

func (letters) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
