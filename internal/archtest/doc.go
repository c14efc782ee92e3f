// Package archtest holds the module to its own rules about which package may import which.
//
// The rules are a table, in rules.go, that reads like the picture in CONTRIBUTING.md. The test parses every Go file of the
// module, whatever its build constraints, so that it needs no compiler run and sees all platforms. A library that is not
// listed for a package is refused: a new dependency is a decision, and its place is that table.
package archtest
