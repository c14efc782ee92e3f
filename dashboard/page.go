package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"time"
)

//go:embed ui openapi.json
var files embed.FS

// pages are the page and the login, and the files that they load.
type pages struct {
	page   []byte
	login  *template.Template
	title  string
	assets map[string]asset
}

// asset is a file as it is served.
type asset struct {
	body        []byte
	contentType string
	etag        string
}

func newPages(title string, withLogin bool) (*pages, error) {
	p := &pages{title: title, assets: map[string]asset{}}
	for name, contentType := range map[string]string{
		"app.js": "text/javascript; charset=utf-8", "app.css": "text/css; charset=utf-8", "login.css": "text/css; charset=utf-8",
		"icon.svg": "image/svg+xml",
	} {
		body, err := files.ReadFile("ui/" + name)
		if err != nil {
			return nil, fmt.Errorf("read the page's files: %w", err)
		}
		sum := sha256.Sum256(body)
		p.assets[name] = asset{body, contentType, `"` + hex.EncodeToString(sum[:8]) + `"`}
	}
	all, err := template.ParseFS(files, "ui/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the pages: %w", err)
	}
	var page bytes.Buffer
	if err := all.ExecuteTemplate(&page, "app.html", map[string]any{"Title": title, "Login": withLogin}); err != nil {
		return nil, fmt.Errorf("make the page: %w", err)
	}
	p.page, p.login = page.Bytes(), all.Lookup("login.html")
	return p, nil
}

// page answers GET /dashboard.
func (h *Handler) page(w http.ResponseWriter, r *http.Request) error {
	h.send(w, r, http.StatusOK, "text/html; charset=utf-8", h.pages.page)
	return nil
}

func (h *Handler) showLogin(w http.ResponseWriter, r *http.Request, status int, message string) error {
	var page bytes.Buffer
	if err := h.pages.login.Execute(&page, map[string]any{"Title": h.pages.title, "Message": message}); err != nil {
		return fmt.Errorf("make the login page: %w", err)
	}
	h.send(w, r, status, "text/html; charset=utf-8", page.Bytes())
	return nil
}

// asset serves a file of the page. Browsers ask each time whether it has changed, and get it again only then.
func (h *Handler) asset(name string) endpoint {
	a := h.pages.assets[name]
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Type", a.contentType)
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", a.etag)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(a.body))
		return nil
	}
}

// openAPI answers GET /openapi.json.
func (h *Handler) openAPI(w http.ResponseWriter, r *http.Request) error {
	doc, err := files.ReadFile("openapi.json")
	if err != nil {
		return fmt.Errorf("read the OpenAPI document: %w", err)
	}
	h.send(w, r, http.StatusOK, "application/json", doc)
	return nil
}
