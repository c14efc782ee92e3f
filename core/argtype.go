package taskflow

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
)

var (
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// checkArgType refuses types whose values JSON would lose or could not decode again.
func checkArgType(t reflect.Type) error {
	return argTypes{}.check(t, t.String())
}

// argTypes are the types already seen, so that recursive types end.
type argTypes map[reflect.Type]bool

func (seen argTypes) check(t reflect.Type, path string) error {
	if seen[t] || codesItself(t) {
		return nil
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Func, reflect.Chan, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return fmt.Errorf("the argument type cannot be stored as JSON: %s is a %s", path, t.Kind())
	case reflect.Interface:
		return fmt.Errorf("the argument type cannot be read back from JSON: %s is an interface; use a concrete type, or json.RawMessage", path)
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return seen.check(t.Elem(), path)
	case reflect.Map:
		switch k := t.Key(); {
		case k.Kind() == reflect.String, k.Kind() >= reflect.Int && k.Kind() <= reflect.Uintptr:
		case k.Implements(textMarshaler) && reflect.PointerTo(k).Implements(textUnmarshaler):
		default:
			return fmt.Errorf("the argument type cannot be stored as JSON: the keys of %s are %s; use strings or integers", path, k)
		}
		return seen.check(t.Elem(), path+"[…]")
	case reflect.Struct:
		return seen.checkStruct(t, path)
	}
	return nil
}

func (seen argTypes) checkStruct(t reflect.Type, path string) error {
	carried := 0
	for f := range t.Fields() {
		if f.Tag.Get("json") == "-" {
			continue
		}
		if f.Anonymous && !f.IsExported() && f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct {
			return fmt.Errorf("the argument type cannot be read back from JSON: %s.%s is an embedded pointer to an unexported struct; "+
				"embed the struct itself, or export its type", path, f.Name)
		}
		// an embedded struct is carried by its exported fields, even when its own name is not exported
		if !f.IsExported() && (!f.Anonymous || f.Type.Kind() != reflect.Struct) {
			continue
		}
		carried++
		if err := seen.check(f.Type, path+"."+f.Name); err != nil {
			return err
		}
	}
	if carried == 0 && t.NumField() > 0 {
		return fmt.Errorf("the argument type would be stored empty: %s has no exported field", path)
	}
	return nil
}

// codesItself reports whether t or *t has its own encoding in both directions.
func codesItself(t reflect.Type) bool {
	p := t
	if t.Kind() != reflect.Pointer {
		p = reflect.PointerTo(t)
	}
	return p.Implements(jsonMarshaler) && p.Implements(jsonUnmarshaler) ||
		p.Implements(textMarshaler) && p.Implements(textUnmarshaler)
}
