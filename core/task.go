package taskflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

// Task is a named, typed definition: a function and its policy. It knows no manager, so that a package can export its
// tasks. Made by [Define]; the zero value is unusable. Safe for concurrent use.
type Task[A any] struct{ def *definition }

// Definition is any Task, whatever its argument type; see [WithTasks].
type Definition interface {
	// Name is the name given to Define.
	Name() string
	definition() *definition
}

type definition struct {
	name       string
	argType    string
	policy     policy
	aliases    []string
	idempotent bool
	run        func(ctx context.Context, args []byte) error
}

// Define makes a task of fn under a name that is stored, so keep it when the function is renamed (or see [Aliases]). It is
// meant for package variables and panics, like regexp.MustCompile, when the name is empty, longer than [MaxNameBytes] or not
// printable; when fn is nil; when an option is invalid; and when A is a type that JSON cannot carry both ways: functions,
// channels, complex numbers, interfaces, a struct none of whose fields is exported, or one that embeds a pointer to an
// unexported struct (unless the type marshals and unmarshals itself). A task without arguments uses struct{}.
func Define[A any](name string, fn func(context.Context, A) error, opts ...TaskOption) Task[A] {
	fail := func(err error) { panic(fmt.Sprintf("taskflow.Define(%s): %v", strconv.Quote(clip(name, 64)), err)) }
	if err := validateName(name); err != nil {
		fail(err)
	}
	if fn == nil {
		fail(errors.New("the function is nil"))
	}
	t := reflect.TypeFor[A]()
	if err := checkArgType(t); err != nil {
		fail(fmt.Errorf("%w (arguments are plain data: strings, numbers, structs of them; never a request or a framework's context)", err))
	}
	d := &definition{name: name, argType: t.String(), policy: defaultPolicy}
	for _, o := range opts {
		if o == nil {
			fail(invalid("an option is nil"))
		}
		if err := o.applyTask(d); err != nil {
			fail(err)
		}
	}
	d.run = func(ctx context.Context, args []byte) error {
		var a A
		if err := json.Unmarshal(args, &a); err != nil {
			return Permanent(fmt.Errorf("decode the arguments of %q: %w", name, err))
		}
		return fn(ctx, a)
	}
	return Task[A]{d}
}

// Name is the name given to Define.
func (t Task[A]) Name() string { return t.definition().name }

// With binds arguments. They are encoded at once, as JSON, and the function gets what is decoded from that, on its first run as
// after a restart: later changes by the caller cannot leak in, and strings that a framework reuses are copied. What
// cannot be encoded (NaN, a cycle) or is larger than [MaxArgsBytes] is reported by Add and Submit as ErrArguments.
func (t Task[A]) With(args A) Call {
	c := Call{def: t.definition()}
	b, err := json.Marshal(args)
	switch {
	case err != nil:
		c.err = fmt.Errorf("%w: %s: %w", ErrArguments, c.def.name, err)
	case len(b) > MaxArgsBytes:
		c.err = fmt.Errorf("%w: %s: %d bytes as JSON, the limit is %d; store the data and pass its address",
			ErrArguments, c.def.name, len(b), MaxArgsBytes)
	default:
		c.args = b
	}
	return c
}

func (t Task[A]) definition() *definition {
	if t.def == nil {
		panic("taskflow: zero Task: make it with taskflow.Define")
	}
	return t.def
}

func validateName(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty")
	case len(name) > MaxNameBytes:
		return fmt.Errorf("the name has %d bytes, the limit is %d", len(name), MaxNameBytes)
	case !utf8.ValidString(name):
		return fmt.Errorf("the name %q is not valid UTF-8", name)
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("the name %q contains %q, which cannot be printed", name, r)
		}
	}
	return nil
}

// TaskInfo describes a registered task, for listings.
type TaskInfo struct {
	Name       string
	ArgType    string // Go type of the arguments
	Aliases    []string
	MaxRetries int
	RetryRule  bool // RetryWith decides, MaxRetries means nothing
	Timeout    time.Duration
	Deadline   time.Duration
	Priority   int
	Pool       string
	Requeue    bool // its own option, or the manager's WithRequeue
	Idempotent bool
	Tags       map[string]string
}
