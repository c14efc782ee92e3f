// Package doctest keeps the documentation true: its Go code compiles, its commands run, its links lead to files
// and headings that are there, the tests that it names exist, and its tables name every option and limit that there is.
//
// A Go block in README.md is either a whole file, whose first line is a comment with its name, or statements, which see the
// variables listed in goblocks_test.go. The same holds for docs and guides_test.go; there a block that begins with "// Wrong:" is one that
// taskvet must report when it adds a task, or gives a framework's context to a goroutine. A shell block holds commands, one a line; commands_test.go says how each is tried.
package doctest
