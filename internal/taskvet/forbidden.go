package taskvet

import "go/types"

const (
	ginPath      = "github.com/gin-gonic/gin"
	fiberPath    = "github.com/gofiber/fiber/v2"
	fasthttpPath = "github.com/valyala/fasthttp"

	whyGin = "a *gin.Context: Gin reuses it for another request once the handler has returned, and a Copy is cancelled with the " +
		"request; read what the task needs before Add, capture that, and use the context that the task is given"
	whyFiber = "a *fiber.Ctx: Fiber reuses it for another request once the handler has returned; read what the task needs before " +
		"Add, copy strings by strings.Clone, capture those, and use the context that the task is given"
	whyFasthttp = "memory of the request that fasthttp reuses once the handler has returned; copy what the task needs before Add, " +
		"and capture that"
	whyResponse = "the response: it has been sent when the task runs; answer in the handler, and keep the task's result " +
		"elsewhere for the client to ask for"
	whyBody = "the request's body: the server closes it once the handler has returned; read it before Add, and capture the bytes"
	whyFile = "an upload: the server removes its temporary file once the handler has returned; move it before Add, and capture " +
		"its new place"
)

// forbidden says why a task must not keep a value of a type; "" when it may. A pointer counts as what it points to.
func forbidden(t types.Type) string {
	switch path, name := nameOf(t); path {
	case ginPath:
		switch name {
		case "Context":
			return whyGin
		case "ResponseWriter":
			return whyResponse
		}
	case fiberPath:
		if name == "Ctx" {
			return whyFiber
		}
	case fasthttpPath:
		switch name {
		case "RequestCtx", "Request", "Response":
			return whyFasthttp
		}
	case "net/http":
		switch name {
		case "ResponseWriter", "ResponseController", "Flusher", "Hijacker", "Pusher":
			return whyResponse
		}
	case "mime/multipart":
		switch name {
		case "File", "Form":
			return whyFile
		}
	}
	return ""
}

// forbiddenMember says why a task must not use a field or method of a type whose values it may keep otherwise: a request's URL,
// header and context stay what they are.
func forbiddenMember(t types.Type, member string) string {
	switch path, name := nameOf(t); path + "." + name {
	case "net/http.Request":
		switch member {
		case "Body", "MultipartReader", "ParseForm":
			return whyBody
		case "MultipartForm", "ParseMultipartForm", "FormFile":
			return whyFile
		}
	case "mime/multipart.FileHeader":
		if member == "Open" {
			return whyFile
		}
	}
	return ""
}

// nameOf returns the package and the name of a type, or of what it points to; empty for a type without.
func nameOf(t types.Type) (path, name string) {
	if t == nil {
		return "", ""
	}
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	n, ok := t.(*types.Named)
	if !ok || n.Obj().Pkg() == nil {
		return "", ""
	}
	return n.Obj().Pkg().Path(), n.Obj().Name()
}
