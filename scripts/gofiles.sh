#!/bin/sh
# Lists the Go files of the tree: all but what tools and fixtures brought along.
exec find . -name '*.go' -not -path './.tools/*' -not -path '*/testdata/*' -not -path '*/node_modules/*'
