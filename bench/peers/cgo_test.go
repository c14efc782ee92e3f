//go:build cgo

package peers

const cgo = true
