// Command taskvet finds background tasks that keep what belongs to the request: a framework's context, the response, the
// request's body, or Fiber's reused strings.
//
//	go install github.com/taskflow-go/taskflow/cmd/taskvet@latest
//	taskvet ./...
//	go vet -vettool=$(which taskvet) ./...
//
// `taskvet -fix ./...` inserts copies of Fiber's strings where a single place needs one. With -immutable, which go vet takes too,
// Fiber's strings are left alone: for programs that set fiber.Config's Immutable. `taskvet -help` lists the other flags.
//
// It is not a proof: it looks at one function at a time, so that what a handler keeps by way of another function's results or of
// a struct of its own is not found.
package main

import (
	"golang.org/x/tools/go/analysis/singlechecker"

	"github.com/taskflow-go/taskflow/internal/taskvet"
)

// singlechecker also speaks the protocol of go vet: it hands over to unitchecker when it is given a *.cfg file.
func main() { singlechecker.Main(taskvet.Analyzer) }
