package onfiber

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"html"
	"html/template"
	"mime"
	"net"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	tasks "github.com/taskflow-go/taskflow/adapters/fiber"
)

var (
	replacer = strings.NewReplacer("a", "b")
	pattern  = regexp.MustCompile("a+")
)

// What a function returns as it is when there is nothing to change.
func unchanged(c *fiber.Ctx) {
	s := c.Params("s")
	a := html.EscapeString(s)
	tasks.Add(c, func() { work(a) }) // want `task uses a, which may be from \(\*fiber.Ctx\).Params`
	b := strings.Repeat(s, 1)
	tasks.Add(c, func() { work(b) }) // want `task uses b`
	d := filepath.Join("", s)
	tasks.Add(c, func() { work(d) }) // want `task uses d`
	e := replacer.Replace(s)
	tasks.Add(c, func() { work(e) }) // want `task uses e`
	f := path.Join(s)
	tasks.Add(c, func() { work(f) }) // want `task uses f`
	g := html.UnescapeString(s)
	tasks.Add(c, func() { work(g) }) // want `task uses g`
	h := template.HTMLEscapeString(s)
	tasks.Add(c, func() { work(h) }) // want `task uses h`
	i := pattern.FindString(s)
	tasks.Add(c, func() { work(i) }) // want `task uses i`
	j, err := strconv.Unquote(s)
	tasks.Add(c, func() { work(j, err) }) // want `task uses j`
	k := utils.AddTrailingSlash(s)
	tasks.Add(c, func() { work(k) }) // want `task uses k`
	l := utils.ToString(s)
	tasks.Add(c, func() { work(l) }) // want `task uses l`
	m := template.HTMLEscaper(1, s)
	tasks.Add(c, func() { work(m) }) // want `task uses m`
	n := s
	n = strings.TrimSpace(n)         // the same text still
	tasks.Add(c, func() { work(n) }) // want `task uses n`
}

// What a function returns has the text in it.
func parts(c *fiber.Ctx) {
	s := c.Get("X")
	u, _ := url.Parse(s)
	tasks.Add(c, func() { work(u.Host) }) // want `task uses u.Host, which may be from \(\*fiber.Ctx\).Get`
	name := u.Hostname()
	tasks.Add(c, func() { work(name) }) // want `task uses name`
	q := u.Query().Get("a")
	tasks.Add(c, func() { work(q) }) // want `task uses q`
	host, port, _ := net.SplitHostPort(s)
	tasks.Add(c, func() { work(host, port) }) // want `task uses host` `task uses port`
	kind, _, _ := mime.ParseMediaType(s)
	tasks.Add(c, func() { work(kind) }) // want `task uses kind`
	failure := errors.New(s)
	tasks.Add(c, func() { work(failure) }) // want `task uses failure`
	list := slices.Insert([]string{"a"}, 0, s)
	tasks.Add(c, func() { work(list) }) // want `task uses list`
	clip := slices.Clip(c.Body())
	tasks.Add(c, func() { work(clip) }) // want `task uses clip`
	lines := bufio.NewScanner(bytes.NewReader(c.Body()))
	tasks.Add(c, func() { work(lines) }) // want `task uses lines`
	buffer := bytes.NewBuffer(c.Body()).Bytes()
	tasks.Add(c, func() { work(buffer) }) // want `task uses buffer`
	ctx := context.WithValue(c.UserContext(), "user", s)
	tasks.Add(c, func() { work(ctx) }) // want `task uses ctx`
	r, _ := c.Range(10)
	tasks.Add(c, func() { work(r.Type) }) // want `task uses r.Type, which may be from \(\*fiber.Ctx\).Range`
}

func sums(c *fiber.Ctx, prefix string) {
	a := prefix + c.Params("a")      // prefix may be empty
	tasks.Add(c, func() { work(a) }) // want `task uses a, which may be from \(\*fiber.Ctx\).Params`
	b := (c.Params("a") + prefix) + c.Query("b")
	tasks.Add(c, func() { work(b) }) // want `task uses b`
	var d string
	d += c.Params("d")
	tasks.Add(c, func() { work(d) }) // want `task uses d`
	e := c.Params("e")
	e += prefix
	tasks.Add(c, func() { work(e) }) // want `task uses e`

	f := c.Params("f") + (prefix + "-") + c.Query("f")
	g := strconv.Itoa(1) + c.Params("g")
	h := c.Params("h")
	h += "!"
	const slash = "/"
	i := slash + c.Params("i")
	j := prefix
	j += c.Params("j") + slash
	tasks.Add(c, func() { work(f, g, h, i, j) })
}

func moreCopies(c *fiber.Ctx) {
	s := c.Params("s")
	a := pattern.ReplaceAllString(s, "b")
	b := slices.Clone(c.Body())
	d := utils.ToLower(s)
	e := strconv.Quote(s)
	f := net.JoinHostPort(s, s)
	g := slices.Contains([]string{s}, s)
	tasks.Add(c, func() { work(a, b, d, e, f, g) })
}
