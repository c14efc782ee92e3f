package dashboard_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/taskflow-go/taskflow/dashboard"
)

// asset is the path of one of the page's files that ends like that.
func (s *site) asset(ending string) string {
	s.t.Helper()
	for name := range s.h.Assets() {
		if path.Ext(name) == ending {
			return "/dashboard/assets/" + name
		}
	}
	s.t.Fatalf("the page has no file that ends with %s", ending)
	return ""
}

func TestDashboardPageIsServed(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.Title("Jobs of Ada"))
	w := s.get("/dashboard", http.StatusOK)
	body := w.Body.String()
	if !strings.Contains(body, "<title>Jobs of Ada</title>") || !strings.Contains(body, `data-login="false"`) {
		t.Errorf("the page has another title, or a login without users:\n%s", body)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q, want no-store", got)
	}
}

func TestTitleIsEscaped(t *testing.T) {
	t.Parallel()
	const title = `</title><script>alert("1")</script>`
	s := open(t, dashboard.Title(title), dashboard.User("ada", cheapHash(t, "secret")))
	c := s.login("ada", "secret")
	for _, page := range []string{s.get("/dashboard", http.StatusOK, cookie(c)).Body.String(), s.get("/auth/login", http.StatusOK).Body.String()} {
		if strings.Contains(page, "<script>alert") || !strings.Contains(page, "&lt;script&gt;") {
			t.Errorf("the title is not escaped:\n%s", page)
		}
	}
}

var references = regexp.MustCompile(`(?:src|href)="([^"]+)"`)

func TestPagesLoadWhatIsThere(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.User("ada", cheapHash(t, "secret")))
	for at, changes := range map[string][]change{"/dashboard": {cookie(s.login("ada", "secret"))}, "/auth/login": nil} {
		found := references.FindAllStringSubmatch(s.get(at, http.StatusOK, changes...).Body.String(), -1)
		if len(found) < 3 {
			t.Errorf("%s loads %v, want a script, a style sheet and an icon", at, found)
		}
		for _, ref := range found {
			s.get(path.Join(path.Dir(at), ref[1]), http.StatusOK) // without a session
		}
	}
}

func TestPageObeysItsContentSecurityPolicy(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.User("ada", cheapHash(t, "secret")))
	c := s.login("ada", "secret")
	pages := s.get("/dashboard", http.StatusOK, cookie(c)).Body.String() + s.get("/auth/login", http.StatusOK).Body.String()
	for what, pattern := range map[string]string{
		"an inline script": `<script[^>]*>[^<]`, "an inline style": `<style|\sstyle=`, "an event handler": `\son[a-z]+=`,
		"an absolute address": `(src|href|action)="(/|https?:|//|data:|javascript:)`,
	} {
		if found := regexp.MustCompile(pattern).FindString(pages); found != "" {
			t.Errorf("the pages have %s: %q", what, found)
		}
	}
	for name := range s.h.Assets() {
		text := s.get("/dashboard/assets/"+name, http.StatusOK).Body.String()
		if found := regexp.MustCompile(`\beval\(|new Function|document\.write|url\((data|https?):|@import`).FindString(text); found != "" {
			t.Errorf("%s has %q, which the policy forbids", name, found)
		}
	}
}

// What a task wrote reaches the document as text: nothing in the page's source makes markup of a string. (The library that it is
// built on could, so the build cannot be searched for this.)
func TestPageMakesNoMarkupOfText(t *testing.T) {
	t.Parallel()
	banned := regexp.MustCompile(`(?i)innerHTML|outerHTML|insertAdjacentHTML|setHTML|DOMParser|srcdoc|createContextualFragment`)
	searched := 0
	err := fs.WalkDir(os.DirFS("ui/src"), ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".ts") && !strings.HasSuffix(name, ".tsx") {
			return err
		}
		text, err := os.ReadFile("ui/src/" + name)
		if err != nil {
			return err
		}
		searched++
		if found := banned.Find(text); found != nil {
			t.Errorf("ui/src/%s uses %s", name, found)
		}
		return nil
	})
	if err != nil || searched < 20 {
		t.Errorf("%d files searched: %v", searched, err)
	}
}

func TestAssetsAreKeptByBrowsers(t *testing.T) {
	t.Parallel()
	s := open(t)
	hashed := regexp.MustCompile(`-[A-Za-z0-9_-]{8}\.(js|css|svg)$`)
	kinds := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	for name := range s.h.Assets() {
		if !hashed.MatchString(name) {
			t.Errorf("%s has no hash in its name", name)
		}
		plain := s.get("/dashboard/assets/"+name, http.StatusOK)
		packed := s.get("/dashboard/assets/"+name, http.StatusOK, header("Accept-Encoding", "br;q=1.0, gzip;q=0.8, *;q=0.1"))
		for _, w := range []http.Header{plain.Header(), packed.Header()} {
			if got := w.Get("Cache-Control"); got != "max-age=31536000, immutable" {
				t.Errorf("%s: Cache-Control %q", name, got)
			}
			if got, want := w.Get("Content-Type"), kinds[path.Ext(name)]; got != want {
				t.Errorf("%s: Content-Type %q, want %q", name, got, want)
			}
			if got := w.Get("Vary"); got != "Accept-Encoding" {
				t.Errorf("%s: Vary %q", name, got)
			}
		}
		if got := packed.Header().Get("Content-Encoding"); got != "gzip" {
			t.Fatalf("%s: Content-Encoding %q, want gzip", name, got)
		}
		r, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		if unpacked, err := io.ReadAll(r); err != nil || !bytes.Equal(unpacked, plain.Body.Bytes()) {
			t.Errorf("%s: packed is not the same as plain (%v)", name, err)
		}
	}
	s.get("/dashboard/assets/app-00000000.js", http.StatusNotFound)
	s.get("/dashboard/assets/", http.StatusNotFound)
	s.get("/dashboard/assets/../x", http.StatusNotFound)
	s.post(s.asset(".js"), http.StatusMethodNotAllowed)
}

func TestPackedOnlyForWhoAcceptsIt(t *testing.T) {
	t.Parallel()
	s := open(t)
	for accept, want := range map[string]string{
		"": "", "gzip": "gzip", "GZIP": "gzip", "deflate, gzip": "gzip", "*": "gzip", "gzip;q=0": "", "gzip; q=0.0, *": "", "*;q=0": "",
		"gzip;q=nonsense": "", "br": "", "identity": "", "gzip;q=0.001": "gzip", "x-gzip": "",
	} {
		if got := s.get(s.asset(".js"), http.StatusOK, header("Accept-Encoding", accept)).Header().Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: Content-Encoding %q, want %q", accept, got, want)
		}
	}
}

// maxPage is the size over the wire of all that a browser may load.
const maxPage = 150 << 10

func TestPageIsSmall(t *testing.T) {
	t.Parallel()
	h := open(t).h
	size := h.PageSize()
	for _, packed := range h.Assets() {
		size += packed
	}
	if size > maxPage {
		t.Errorf("the page has %d bytes, more than %d", size, maxPage)
	}
	t.Logf("the page has %d KiB", size>>10)
}
