// Command taskvet finds background tasks that keep what belongs to the request: a framework's context, the response, the
// request's body, Chi's route parameters, or Fiber's reused strings. It also finds goroutines that use a framework's context while nobody waits for them.
//
//	go install ./cmd/taskvet # in a clone: there is no release yet
//	taskvet ./...
//	go vet -vettool=$(which taskvet) ./...
//
// `taskvet -fix ./...` inserts copies of Fiber's strings where a single place needs one. With -immutable, which go vet takes too,
// Fiber's strings are left alone: for programs that set fiber.Config's Immutable. `taskvet -help` lists the other flags.
//
// It is not a proof: what a task hands on to other functions, and what they return, is not followed. The document what-not-to-capture.md lists what is
// not found.
package main

import (
	"golang.org/x/tools/go/analysis/singlechecker"

	"github.com/taskflow-go/taskflow/internal/taskvet"
)

// singlechecker also speaks the protocol of go vet: it hands over to unitchecker when it is given a *.cfg file.
func main() { singlechecker.Main(taskvet.Analyzer) }
