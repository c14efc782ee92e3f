package dashboard

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
)

// The page's build: templates of the two pages, and what they load, which assets.go serves. Its source is in ui/src; make ui
// builds it anew.
//
//go:embed ui/dist openapi.json
var files embed.FS

// pages are the page and the login, and the files that they load.
type pages struct {
	page   []byte
	login  *template.Template
	title  string
	assets map[string]asset // by name, without a folder
}

func newPages(title string, withLogin bool) (*pages, error) {
	assets, err := readAssets()
	if err != nil {
		return nil, err
	}
	p := &pages{title: title, assets: assets}
	all, err := template.ParseFS(files, "ui/dist/index.html", "ui/dist/auth/login.html")
	if err != nil {
		return nil, fmt.Errorf("parse the pages: %w", err)
	}
	var page bytes.Buffer
	if err := all.ExecuteTemplate(&page, "index.html", map[string]any{"Title": title, "Login": withLogin}); err != nil {
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

// openAPI answers GET /openapi.json.
func (h *Handler) openAPI(w http.ResponseWriter, r *http.Request) error {
	doc, err := files.ReadFile("openapi.json")
	if err != nil {
		return fmt.Errorf("read the OpenAPI document: %w", err)
	}
	h.send(w, r, http.StatusOK, "application/json", doc)
	return nil
}
