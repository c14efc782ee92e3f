package dashboard_test

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/taskflow-go/taskflow/dashboard"
)

// document is the OpenAPI document, with a compiler for the schemas in it: those of OpenAPI 3.1 are JSON Schema 2020-12.
type document struct {
	root map[string]any

	mu      sync.Mutex
	schemas *jsonschema.Compiler
}

var loadDocument = sync.OnceValues(func() (*document, error) {
	text, err := os.Open("openapi.json")
	if err != nil {
		return nil, err
	}
	defer text.Close()
	parsed, err := jsonschema.UnmarshalJSON(text)
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("openapi.json", parsed); err != nil {
		return nil, err
	}
	return &document{root: parsed.(map[string]any), schemas: c}, nil
})

func mustLoad(t *testing.T) *document {
	t.Helper()
	d, err := loadDocument()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// at follows a path of keys, and the references on it; nil when there is nothing. pointer is where it ended.
func (d *document) at(keys ...string) (v any, pointer string) {
	v, pointer = d.root, "#"
	for _, key := range keys {
		v, pointer = d.resolve(v, pointer)
		m, ok := v.(map[string]any)
		if !ok || m[key] == nil {
			return nil, ""
		}
		v = m[key]
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(key)
	}
	return d.resolve(v, pointer)
}

func (d *document) resolve(v any, pointer string) (any, string) {
	m, ok := v.(map[string]any)
	if !ok {
		return v, pointer
	}
	ref, ok := m["$ref"].(string)
	if !ok {
		return v, pointer
	}
	return d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
}

// template is the document's path for a request's path; empty when it has none.
func (d *document) template(path string) string {
	if path == "" {
		path = "/"
	}
	if v, _ := d.at("paths", path); v != nil {
		return path
	}
	segments := strings.Split(path, "/")
	if len(segments) == 4 && segments[2] == "assets" {
		return "/dashboard/assets/{file}"
	}
	for at := 1; at <= 2; at++ {
		segments := strings.Split(path, "/")
		if len(segments) <= at {
			break
		}
		for _, parameter := range []string{"{id}", "{name}"} {
			segments[at] = parameter
			t := strings.Join(segments, "/")
			if v, _ := d.at("paths", t); v != nil {
				return t
			}
		}
	}
	return ""
}

// conform holds an answer to the document: the status, the content type and the body must be described for the path and method.
func conform(t *testing.T, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	d := mustLoad(t)
	what := r.Method + " " + r.URL.Path + " " + strconv.Itoa(w.Code)
	path := d.template(r.URL.Path)
	method := strings.ToLower(r.Method)
	if r.Method == http.MethodHead {
		method = "get"
	}
	contents, pointer := d.at("components", "responses", "NotFound", "content")
	operation, _ := d.at("paths", path, method)
	switch general := w.Code == http.StatusNotFound || w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden ||
		w.Code == http.StatusMethodNotAllowed; {
	case w.Code == http.StatusTemporaryRedirect && strings.HasSuffix(r.URL.Path, "/"):
		return
	case w.Code == http.StatusMethodNotAllowed, operation == nil && general: // a problem document
	case operation == nil:
		t.Errorf("%s: the path or method is not in the document", what)
		return
	default:
		response, _ := d.at("paths", path, method, "responses", strconv.Itoa(w.Code))
		if response == nil {
			t.Errorf("%s: the status is not in the document: %s", what, w.Body)
			return
		}
		if contents, pointer = d.at("paths", path, method, "responses", strconv.Itoa(w.Code), "content"); contents == nil {
			if w.Body.Len() > 0 {
				t.Errorf("%s: has a body that is not in the document: %s", what, w.Body)
			}
			return
		}
		if w.Code == http.StatusOK {
			d.conformParameters(t, what, path, method, r)
		}
	}
	kind, _, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if err != nil || contents.(map[string]any)[kind] == nil {
		t.Errorf("%s: the content type %q is not in the document", what, w.Header().Get("Content-Type"))
		return
	}
	if !strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "ndjson") || w.Body.Len() == 0 {
		return
	}
	d.conformBody(t, what, pointer+"/"+strings.ReplaceAll(kind, "/", "~1")+"/schema", w.Body.String())
}

func (d *document) conformParameters(t *testing.T, what, path, method string, r *http.Request) {
	t.Helper()
	known := map[string]bool{}
	if list, _ := d.at("paths", path, method, "parameters"); list != nil {
		for _, p := range list.([]any) {
			known[p.(map[string]any)["name"].(string)] = true
		}
	}
	for name := range r.URL.Query() {
		if !known[name] {
			t.Errorf("%s: the parameter %q is not in the document", what, name)
		}
	}
}

// schema compiles the schema at pointer. Tests run side by side, and the compiler is for one goroutine at a time.
func (d *document) schema(pointer string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.schemas.Compile("openapi.json" + pointer)
}

func (d *document) conformBody(t *testing.T, what, pointer, body string) {
	t.Helper()
	schema, err := d.schema(pointer)
	if err != nil {
		t.Fatalf("%s: compile the schema: %v", what, err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Errorf("%s: the body is no JSON: %v: %s", what, err, body)
		return
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("%s: the body does not fit the document: %v\n%s", what, err, body)
	}
}

func TestDocumentAndRoutesAreTheSame(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.User("ada", cheapHash(t, "secret")))
	served := s.h.Routes()
	paths, _ := mustLoad(t).at("paths")
	for path, item := range paths.(map[string]any) {
		var methods []string
		for method := range item.(map[string]any) {
			methods = append(methods, strings.ToUpper(method))
		}
		slices.Sort(methods)
		if !slices.Equal(methods, served[path]) {
			t.Errorf("%s: the document has %v, the handler %v", path, methods, served[path])
		}
		delete(served, path)
	}
	for path, methods := range served {
		t.Errorf("%s %v is served but not in the document", path, methods)
	}
}

func TestDocumentIsServedAsItIs(t *testing.T) {
	t.Parallel()
	got := open(t).get("/openapi.json", http.StatusOK).Body.String()
	want, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Error("what is served differs from openapi.json")
	}
	var version struct{ OpenAPI string }
	if err := json.Unmarshal(want, &version); err != nil || version.OpenAPI != "3.1.0" {
		t.Errorf("openapi is %q (%v), want 3.1.0", version.OpenAPI, err)
	}
}

// Every path but those of the pages and the stream, whose addresses others may extend, takes what the document names and nothing else.
func TestUnknownParametersAreRefusedEverywhere(t *testing.T) {
	t.Parallel()
	s := open(t, dashboard.Public())
	free := []string{"/dashboard", "/dashboard/stream", "/dashboard/assets/{file}", "/auth/login", "/auth/logout", "/openapi.json"}
	paths, _ := mustLoad(t).at("paths")
	for path, item := range paths.(map[string]any) {
		if slices.Contains(free, path) {
			continue
		}
		for method, operation := range item.(map[string]any) {
			target := strings.ReplaceAll(path, "{id}", "some") + "?stat=failed"
			text := detail(t, s.do(strings.ToUpper(method), target, http.StatusBadRequest))
			_, list, named := strings.Cut(text, "possible: ")
			var got, want []string
			if named {
				got = strings.Split(list, ", ")
			}
			parameters, _ := operation.(map[string]any)["parameters"].([]any)
			for _, p := range parameters {
				if p := p.(map[string]any); p["in"] == "query" {
					want = append(want, p["name"].(string))
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !strings.Contains(text, `"stat"`) || !slices.Equal(got, want) {
				t.Errorf("%s %s: %q, want that it names stat, and as possible %v", method, path, text, want)
			}
		}
	}
	s.get("/?utm_source=mail", http.StatusSeeOther, browser)
}

func TestContractCheckNoticesDifferences(t *testing.T) {
	t.Parallel()
	d := mustLoad(t)
	schema, err := d.schema("#/components/schemas/Acted")
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{}`, `{"task_id": 1, "task": {}}`, `{"task_id": "x", "task": {"task_id": "x"}}`} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(v) == nil {
			t.Errorf("%s passes as an answer to retry", body)
		}
	}
}
