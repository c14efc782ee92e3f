package onfiber

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
)

func work(...any) {}

type id string

type user struct {
	Name, Mail string
	Age        int
}

func shared(c *fiber.Ctx) {
	tasks.Add(c, func() { work(c.Params("a")) }) // want `task uses c, a \*fiber.Ctx: Fiber reuses it`
	tasks.Add(c, c.Next)                         // want `task is a method of c, a \*fiber.Ctx`

	name := c.Params("name")
	tasks.Add(c, func(context.Context) error {
		work(name) // want `task uses name, which may be from \(\*fiber.Ctx\).Params: Fiber reuses that memory .* strings.Clone`
		return nil
	})
	tasks.Add(c, func() { work(name[1:]) }) // want `task uses name\[1:\], which may be from \(\*fiber.Ctx\).Params`
	tasks.Add(c, func() {
		copied := strings.Clone(name) // want `task uses name`
		work(copied)
	})
	tasks.Add(c, func() { work(len(name[0:1])) }) // want `task uses name\[0:1\]`
	tasks.Add(c, func() { work(name[0]) })        // a byte

	body := c.Body()
	tasks.Add(c, func() { work(body) }) // want `task uses body, which may be from \(\*fiber.Ctx\).Body`

	first := strings.TrimSpace(strings.ToLower(c.Get("X-Name", "none")))[2:]
	tasks.Add(c, func() { work(first) }) // want `task uses first, which may be from \(\*fiber.Ctx\).Get`

	parts := strings.Split(c.Query("q"), ",")
	tasks.Add(c, func() { work(parts[0]) }) // want `task uses parts\[0\], which may be from \(\*fiber.Ctx\).Query`
	for i, p := range parts {
		tasks.Add(c, func() { work(i, p) }) // want `task uses p, which may be from \(\*fiber.Ctx\).Query`
	}
	key, rest, found := strings.Cut(name, "=")
	tasks.Add(c, func() { work(key, found) }) // want `task uses key, which may be from \(\*fiber.Ctx\).Params`
	tasks.Add(c, func() { work(rest) })       // want `task uses rest`

	value := c.Queries()["a"]
	tasks.Add(c, func() { work(value) }) // want `task uses value, which may be from \(\*fiber.Ctx\).Queries`
	header := c.GetReqHeaders()
	tasks.Add(c, func() { work(header["A"][0]) }) // want `task uses header\["A"\]\[0\], which may be from \(\*fiber.Ctx\).GetReqHeaders`

	named := id(name)
	tasks.Add(c, func() { work(named) }) // want `task uses named`
	var boxed any = name
	tasks.Add(c, func() { work(boxed.(string)) }) // want `task uses boxed.\(string\)`
	list := append([]string{"a"}, name)
	tasks.Add(c, func() { work(list) }) // want `task uses list`
	trimmed := utils.Trim(name, ' ')
	tasks.Add(c, func() { work(trimmed) }) // want `task uses trimmed`
	reader := bytes.NewReader(body)
	tasks.Add(c, func() { work(reader) }) // want `task uses reader, which may be from \(\*fiber.Ctx\).Body`
	longer := max(name, "z")
	tasks.Add(c, func() { work(longer) }) // want `task uses longer`
}

func structs(c *fiber.Ctx) {
	u := user{Name: c.Query("name"), Mail: strings.Clone(c.Query("mail")), Age: 3}
	tasks.Add(c, func() { work(u.Mail, u.Age) })
	tasks.Add(c, func() { work(u.Name) }) // want `task uses u.Name, which may be from \(\*fiber.Ctx\).Query`
	tasks.Add(c, func() { work(u) })      // want `task uses u, which may be`

	p := &user{strings.Clone("a"), c.Params("mail"), 3}
	tasks.Add(c, func() { work(p.Name) })
	tasks.Add(c, func() { work(p.Mail) }) // want `task uses p.Mail, which may be from \(\*fiber.Ctx\).Params`

	var v user
	v.Name = c.Params("name")
	tasks.Add(c, func() { work(v.Mail) })
	tasks.Add(c, func() { work(v.Name) }) // want `task uses v.Name`

	m := map[string]string{c.Query("key"): "a"}
	tasks.Add(c, func() { work(m) }) // want `task uses m, which may be`
	byName := map[string]string{}
	byName["a"] = c.Query("a")
	tasks.Add(c, func() { work(byName) }) // want `task uses byName, which may be`
}

func parsers(c *fiber.Ctx) {
	var form user
	err := c.BodyParser(&form)
	tasks.Add(c, func() { work(form.Name) }) // want `task uses form.Name, which may be from \(\*fiber.Ctx\).BodyParser: .* a Call, whose With copies`
	tasks.Add(c, func() { work(form) })      // want `task uses form, which may be from \(\*fiber.Ctx\).BodyParser`
	tasks.Add(c, func() { work(form.Age, err) })

	query := new(user)
	if err := c.QueryParser(query); err != nil {
		return
	}
	tasks.Add(c, func() { work(query.Mail) }) // want `task uses query.Mail, which may be from \(\*fiber.Ctx\).QueryParser`
	name := query.Name
	tasks.Add(c, func() { work(name) }) // want `task uses name, which may be from \(\*fiber.Ctx\).QueryParser`
	mail := strings.Clone(query.Mail)
	tasks.Add(c, func() { work(mail) })

	var order struct {
		User user
		Item string
	}
	work(c.BodyParser(&order.User))
	tasks.Add(c, func() { work(order.User.Name) }) // want `task uses order.User.Name, which may be from`
	tasks.Add(c, func() { work(order.Item) })
	query.Mail = strings.Clone(query.Mail)
	tasks.Add(c, func() { work(query.Mail) })
	tasks.Add(c, func() { work(query.Name) }) // want `task uses query.Name`
}

func order(c *fiber.Ctx, sure bool) {
	a := c.Params("a")
	a = strings.Clone(a) // every way to the task leads through it
	tasks.Add(c, func() { work(a) })

	b := c.Params("b")
	if sure {
		b = strings.Clone(b)
	}
	tasks.Add(c, func() { work(b) }) // want `task uses b`

	d := "none"
	if sure {
		d = c.Params("d")
	}
	tasks.Add(c, func() { work(d) }) // want `task uses d`

	e := "none"
	tasks.Add(c, func() { work(e) }) // want `task uses e`
	e = c.Params("e")

	var f string
	for i := 0; i < 2; f = strings.Clone(f) {
		f = c.Params("f")
		tasks.Add(c, func() { work(f, i) }) // want `task uses f`
	}

	g := "none"
	tasks.Add(c, func() { g = "other" })
	g = c.Params("g")
	work(g)

	h := c.Params("h")
	h, i := h+"!", 1
	tasks.Add(c, func() { work(h, i) })

	j, k := "a", c.Params("k")
	j, k = k, j
	tasks.Add(c, func() { work(j) }) // want `task uses j`
	l := c.Params("l")
	switch {
	case sure:
		l = strings.Clone(l)
		tasks.Add(c, func() { work(l) })
	default:
		tasks.Add(c, func() { work(l) }) // want `task uses l`
	}
}

func copies(c *fiber.Ctx) {
	a := strings.Clone(c.Params("a"))
	b := utils.CopyString(c.Params("b"))
	d := string(c.Body())
	e := []byte(c.Params("e"))
	f := fmt.Sprint(c.Params("f"))
	g := "x" + c.Params("g")
	h, err := strconv.Atoi(c.Params("h"))
	i := bytes.Clone(c.Body())
	j := append([]byte(nil), c.Body()...)
	k := utils.CopyBytes(c.Body())
	l := len(c.Body())
	m := strings.Contains(c.Params("m"), "x")
	n, _ := c.ParamsInt("n")
	o := c.BaseURL()
	p := c.Locals("user").(string)
	q := strings.Repeat(c.Params("q"), 2)
	tasks.Add(c, func() { work(a, b, d, e, f, g, h, i, j, k, l, m, n, o, p, q, err) })
	r := c.Params("r")
	work(r)
	tasks.Add(c, func() {
		r := "own"
		work(r)
	})
	tasks.Add(c, func() { func(r string) { work(r) }("a") })
}
