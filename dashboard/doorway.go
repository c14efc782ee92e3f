package dashboard

import (
	"bytes"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// Only the browser knows under which path it sees the mount, and whether with a slash at its end: a proxy may have stripped a prefix, or put another name in
// the place of ours, and relative URLs cannot add to the last name of a path. So at the mount itself a browser gets a page whose script, which it loads from the
// same path, adds to that.
const (
	doorwayQuery  = "doorway" // asks for the script
	doorwayScript = `location.replace(location.pathname.replace(/\/*$/, "/dashboard") + location.hash);` + "\n"
)

const doorwayPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{.Title}}</title>
<script src="?` + doorwayQuery + `"></script>
</head>
<body><noscript><p>The <a href="{{.Guess}}">dashboard</a> needs JavaScript.</p></noscript></body>
</html>
`

// isDoorway tells a request of a browser for the mount itself, which is answered without a session: the page that it leads to asks for one.
func (h *Handler) isDoorway(r *http.Request, rt *route) bool {
	return rt == h.routes.fixed[""] && (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		(r.URL.RawQuery == doorwayQuery || prefersHTML(r.Header.Get("Accept")))
}

// doorway answers it.
func (h *Handler) doorway(w http.ResponseWriter, r *http.Request) error {
	if r.URL.RawQuery == doorwayQuery {
		h.send(w, r, http.StatusOK, "text/javascript; charset=utf-8", []byte(doorwayScript))
		return nil
	}
	var page bytes.Buffer
	if err := h.pages.doorway.Execute(&page, map[string]any{"Title": h.cfg.title, "Guess": guessPage(r)}); err != nil {
		return fmt.Errorf("make the page that leads to the dashboard: %w", err)
	}
	h.send(w, r, http.StatusOK, "text/html; charset=utf-8", page.Bytes())
	return nil
}

// guessPage is the page's address relative to the mount's, if no proxy has renamed that.
func guessPage(r *http.Request) string {
	sent, _, _ := strings.Cut(r.RequestURI, "?")
	if sent == "" || strings.HasSuffix(sent, "/") {
		return "dashboard"
	}
	return "./" + path.Base(sent) + "/dashboard"
}
