package taskvet

import (
	"go/types"
	"math"
	"slices"
	"strings"
)

// returned tells how many of its first arguments a function may return as they are, or a part of (read in the sources of Go 1.26 and Fiber v2.52).
// A function that copies only when it must change something counts: strings.ToLower returns a string in lower case as it is.
func returned(path, name string, bytes bool) int {
	const all = math.MaxInt
	switch path {
	case "strings":
		switch name {
		case "Clone", "Compare":
			return 0
		}
		return 1
	case "bytes":
		switch name {
		case "Cut", "CutPrefix", "CutSuffix", "Fields", "FieldsFunc", "FieldsSeq", "FieldsFuncSeq", "Lines", "NewReader", "NewBuffer":
			return 1
		}
		return oneIf(strings.HasPrefix(name, "Trim") || strings.HasPrefix(name, "Split"))
	case "slices":
		if !bytes { // a copy of a list of strings shares the strings
			return all
		}
		switch name {
		case "Clip", "Grow", "Delete", "DeleteFunc", "Compact", "CompactFunc", "Insert", "Replace":
			return 1
		}
	case "maps":
		return 1
	case "path", "path/filepath":
		switch name {
		case "Base", "Clean", "Dir", "Ext", "Split", "SplitList", "ToSlash", "FromSlash", "VolumeName", "Abs", "Localize":
			return 1
		case "Join", "Rel":
			return all
		}
	case "net/url":
		return oneIf(strings.HasPrefix(name, "Parse") || strings.HasSuffix(name, "Unescape") || strings.HasSuffix(name, "Escape"))
	case "html", "html/template", "text/template":
		switch {
		case strings.HasSuffix(name, "Escaper"):
			return all
		case strings.HasSuffix(name, "scapeString"):
			return 1
		}
	case "net":
		return oneIf(name == "SplitHostPort")
	case "mime":
		return oneIf(name == "ParseMediaType")
	case "strconv":
		return oneIf(name == "Unquote" || name == "QuotedPrefix")
	case "errors":
		return oneIf(name == "New")
	case "bufio":
		return oneIf(strings.HasPrefix(name, "NewReader") || name == "NewScanner")
	case "io":
		switch name {
		case "LimitReader", "NopCloser", "NewSectionReader", "TeeReader":
			return 1
		case "MultiReader":
			return all
		}
	case "cmp":
		if name == "Or" {
			return all
		}
	case "context":
		if name == "WithValue" {
			return all
		}
	case fiberPath + "/utils":
		switch name {
		case "ToLowerBytes", "ToUpperBytes", "ToString", "GetString", "GetBytes", "AddTrailingSlash", "ParseVendorSpecificContentType":
			return 1
		}
		return oneIf(strings.HasPrefix(name, "Trim") || strings.HasPrefix(name, "Unsafe"))
	}
	return 0
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// isBytes reports whether t is a slice of bytes: what copies its elements copies all of it.
func isBytes(t types.Type) bool {
	s, ok := t.Underlying().(*types.Slice)
	if !ok {
		return false
	}
	b, ok := s.Elem().Underlying().(*types.Basic)
	return ok && b.Kind() == types.Byte
}

// holdsText reports whether a value of type t can lead to a string or to bytes.
func holdsText(t types.Type, outer []types.Type) bool {
	if slices.Contains(outer, t) { // a type that leads to itself
		return false
	}
	outer = append(outer, t)
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&types.IsString != 0
	case *types.Slice:
		return isBytes(u) || holdsText(u.Elem(), outer)
	case *types.Array:
		return holdsText(u.Elem(), outer)
	case *types.Pointer:
		return holdsText(u.Elem(), outer)
	case *types.Map:
		return holdsText(u.Key(), outer) || holdsText(u.Elem(), outer)
	case *types.Struct:
		for f := range u.Fields() {
			if holdsText(f.Type(), outer) {
				return true
			}
		}
	case *types.Tuple: // the results of a call: which one is asked for is the variable's business
		return true
	case *types.Interface, *types.Signature: // a Signature: strings.SplitSeq's
		return true
	}
	return false
}
