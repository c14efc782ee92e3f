package dashboard

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
)

const (
	assetsFolder = "ui/dist/dashboard/assets"
	assetsPath   = "dashboard/assets/" // below the mount
)

// asset is a file that the pages load. The program holds it packed, as nearly all browsers take it.
type asset struct {
	packed      []byte // gzip
	contentType string
}

func readAssets() (map[string]asset, error) {
	entries, err := files.ReadDir(assetsFolder)
	if err != nil {
		return nil, fmt.Errorf("list the page's files: %w", err)
	}
	all := make(map[string]asset, len(entries))
	for _, e := range entries {
		packed, err := files.ReadFile(path.Join(assetsFolder, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the page's files: %w", err)
		}
		name, gzipped := strings.CutSuffix(e.Name(), ".gz")
		contentType := contentTypes[path.Ext(name)]
		if !gzipped || contentType == "" {
			return nil, fmt.Errorf("the page's file %s is none that can be served; build it by make ui", e.Name())
		}
		all[name] = asset{packed, contentType}
	}
	return all, nil
}

// contentTypes are ours and not those of package mime, which asks the machine.
var contentTypes = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
}

// asset answers GET /dashboard/assets/{file}. A name carries the hash of its content, so browsers keep it and never ask again.
func (h *Handler) asset(w http.ResponseWriter, r *http.Request) error {
	a, ok := h.pages.assets[r.PathValue("file")]
	if !ok {
		return refuse(http.StatusNotFound, "the page has no such file; a page that was loaded before a deployment must be loaded again")
	}
	head := w.Header()
	head.Add("Vary", "Accept-Encoding")
	body := a.packed
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		head.Set("Content-Encoding", "gzip")
	} else {
		var err error
		if body, err = unpack(a.packed); err != nil {
			return err
		}
	}
	head.Set("Cache-Control", "max-age=31536000, immutable")
	h.send(w, r, http.StatusOK, a.contentType, body)
	return nil
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack a file of the page: %w", err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("unpack a file of the page: %w", err)
	}
	return body, nil
}

// acceptsGzip reads an Accept-Encoding header: gzip, or *, with a weight above 0.
func acceptsGzip(header string) bool {
	weights := map[string]float64{}
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		weight := 1.0
		if q, given := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); given {
			weight, _ = strconv.ParseFloat(q, 64) // what is no number is 0
		}
		weights[strings.ToLower(strings.TrimSpace(name))] = weight
	}
	if weight, named := weights["gzip"]; named {
		return weight > 0
	}
	return weights["*"] > 0
}
