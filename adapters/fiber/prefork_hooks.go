package tasks

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// preforkHooks are the hooks of an app that Fiber calls in the first process of a prefork. It gives nobody else a way to call them.
type preforkHooks struct {
	onFork   []fiber.OnForkHandler
	onListen []fiber.OnListenHandler
}

func hooksOf(app *fiber.App) (preforkHooks, error) {
	onFork, ok1 := hidden[[]fiber.OnForkHandler](app.Hooks(), "onFork")
	onListen, ok2 := hidden[[]fiber.OnListenHandler](app.Hooks(), "onListen")
	if !ok1 || !ok2 {
		return preforkHooks{}, errors.New("this version of Fiber keeps its hooks where tasks.Run does not find them: use one that go.mod of taskflow names")
	}
	return preforkHooks{onFork, onListen}, nil
}

// hidden returns a field that its package does not export; false when there is none of that name and type.
func hidden[T any](of *fiber.Hooks, field string) (T, bool) {
	f := reflect.ValueOf(of).Elem().FieldByName(field)
	if !f.IsValid() || f.Type() != reflect.TypeFor[T]() {
		return *new(T), false
	}
	return *(*T)(f.Addr().UnsafePointer()), true
}

// forked tells the hooks of OnFork. All are called; those that fail do not stop anything, as with app.Listen.
func (h preforkHooks) forked(pid int) error {
	var errs []error
	for _, f := range h.onFork {
		errs = append(errs, f(pid))
	}
	return errors.Join(errs...)
}

// listening tells the hooks of OnListen. The first that fails is the end of the service.
func (h preforkHooks) listening(addr, network string) error {
	data := fiber.ListenData{Host: addr}
	if i := strings.LastIndexByte(addr, ':'); i >= 0 {
		data.Host, data.Port = addr[:i], addr[i+1:] // with the brackets around IPv6, as Fiber says it
	}
	if data.Host == "" {
		if data.Host = "0.0.0.0"; network == fiber.NetworkTCP6 {
			data.Host = "[::1]"
		}
	}
	for _, f := range h.onListen {
		if err := f(data); err != nil {
			return fmt.Errorf("a hook of OnListen has failed: %w", err)
		}
	}
	return nil
}
