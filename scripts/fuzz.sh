#!/usr/bin/env bash
# Runs each fuzz test of the module for the given time: go test accepts one fuzz test of one package at once.
set -euo pipefail

time=${1:-10s}
go=${GO:-go}
found=0
for dir in $($go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}' ./...); do
	for name in $(grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | awk '{ print $2 }' | sort -u); do
		echo "== $name in $dir for $time"
		(cd "$dir" && $go test -run='^$' -fuzz="^$name\$" -fuzztime="$time" .)
		found=$((found + 1))
	done
done
echo "$found fuzz tests run"
