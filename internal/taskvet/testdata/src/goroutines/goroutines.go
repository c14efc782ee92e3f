// Package goroutines has handlers that start goroutines, and add no task.
package goroutines

import (
	"sync"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
)

func work(...any) {}

func onGin(c *gin.Context) {
	go func() {
		work(c.Query("a")) // want `goroutine uses c, a \*gin.Context: Gin reuses it for another request .* tasks.Add`
		work(c)            // one report is enough
	}()
	go work(c, c.Query("a"))    // want `goroutine gets c, a \*gin.Context`
	go c.Next()                 // want `goroutine runs a method of c, a \*gin.Context`
	later := func() { work(c) } // want `goroutine uses c, a \*gin.Context`
	go later()
	h := struct{ c *gin.Context }{c}
	go func() { work(h.c) }()               // want `goroutine uses h.c, a \*gin.Context`
	go func() { func() { go work(c) }() }() // want `goroutine uses c` `goroutine gets c`

	cp := c.Copy() // what Gin's own documentation says
	go func() { work(cp.Query("a")) }()
	go work(cp)
	go work(c.Copy())
	a := c.Query("a")
	go func() { work(a, c.Request) }() // want `goroutine uses c, a \*gin.Context`
	go work(c.Query("a"))
	go func(c *gin.Context) { work(c) }(c.Copy())
	go func() {
		var c *gin.Context
		work(c)
	}()
	work(func() { work(c) })
}

type embedding struct{ *gin.Context }

func embedded(e embedding) {
	go func() { work(e.Query("a")) }() // want `goroutine uses e.Query, a \*gin.Context`
}

func onFiber(c *fiber.Ctx) error {
	go func() { work(c.Params("a")) }() // want `goroutine uses c, a \*fiber.Ctx: Fiber reuses it .* strings.Clone`
	return nil
}

// What the handler waits for may use its context.
func waiting(c *gin.Context) {
	var wg sync.WaitGroup
	wg.Add(1)
	go func() { defer wg.Done(); work(c) }()
	wg.Wait()
}

func receiving(c *gin.Context) {
	done := make(chan struct{})
	go func() { work(c); close(done) }()
	<-done
}

func ranging(c *gin.Context) {
	all := make(chan int)
	go func() { all <- len(c.Query("a")); close(all) }()
	for range all {
	}
}

func selecting(c *gin.Context) {
	done := make(chan struct{})
	go func() { work(c); close(done) }()
	select {
	case <-done:
	}
}

// The goroutine itself waits, not the handler.
func waitingInside(c *gin.Context, start chan struct{}) {
	go func() {
		<-start
		work(c) // want `goroutine uses c`
	}()
}
