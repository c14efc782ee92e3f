// Command uiserver is what the browser tests of the dashboard's page look at: a server with tasks that do what a test tells them, a past that is
// the same each time, a proxy in front that strips a prefix and can be cut, and a port by which tests give their orders. dashboard/ui/test starts it.
//
// It prints one line of JSON, its addresses, when it serves, and stops at SIGTERM as every program of the library does.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
	_ "time/tzdata" // schedules name zones, and not every machine has them

	"github.com/taskflow-go/taskflow/backends/sqlite"
	taskflow "github.com/taskflow-go/taskflow/core"
	"github.com/taskflow-go/taskflow/dashboard"
)

// settings are the flags.
type settings struct {
	adapter  string        // gin, fiber, chi or nethttp
	database string        // file of the SQLite database
	past     int           // finished tasks that are there from the beginning
	hostile  bool          // tasks with names that a page must not run
	plan     bool          // schedules
	users    bool          // ada may act, vera may look; otherwise the page is everybody's
	session  time.Duration // how long a login lasts
	title    string
	address  string // of the service
	proxy    string // of the proxy
	control  string // of the port for orders
	watch    string // open streams of this URL instead of serving
	viewers  int    // how many
}

func main() {
	var s settings
	flag.StringVar(&s.adapter, "adapter", "nethttp", "gin, fiber, chi or nethttp")
	flag.StringVar(&s.database, "database", "", "file of the SQLite database")
	flag.IntVar(&s.past, "past", 0, "finished tasks that are there from the beginning")
	flag.BoolVar(&s.hostile, "hostile", false, "register tasks with names that a page must not run")
	flag.BoolVar(&s.plan, "schedules", false, "have schedules, of which none is due soon")
	flag.BoolVar(&s.users, "users", false, "ask for a login: ada may act, vera may look")
	flag.DurationVar(&s.session, "session", time.Hour, "how long a login lasts")
	flag.StringVar(&s.title, "title", "Tasks", "the page's title")
	flag.StringVar(&s.address, "address", "127.0.0.1:0", "where the service listens")
	flag.StringVar(&s.proxy, "proxy", "127.0.0.1:0", "where the proxy listens")
	flag.StringVar(&s.control, "control", "127.0.0.1:0", "where orders are taken")
	flag.StringVar(&s.watch, "watch", "", "open streams of this URL, and count what comes, instead of serving")
	flag.IntVar(&s.viewers, "viewers", 100, "how many streams -watch opens")
	flag.Parse()
	slog.SetDefault(slog.New(taskflow.SlogHandler(slog.DiscardHandler)))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	run := serve
	if s.watch != "" {
		run = watch
	}
	err := run(ctx, s, os.Stdout)
	stop()
	if err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "uiserver: %v\n", err) // there is nowhere else to say it
		os.Exit(1)
	}
}

// Users and their passwords; the tests know them.
const (
	operator, operatorPassword = "ada", "correct horse battery"
	viewer, viewerPassword     = "vera", "only here to look"
)

func serve(ctx context.Context, s settings, out io.Writer) error {
	b := &backend{Backend: sqlite.Open(s.database)}
	if err := writePast(ctx, s.database, s.past, time.Now()); err != nil {
		return err
	}
	w := newWork(s.hostile)
	managed := []taskflow.ManagerOption{taskflow.WithBackend(b), taskflow.WithTasks(w.order...), taskflow.WithConcurrency(8),
		taskflow.WithPool("one", 1), taskflow.WithQueueSize(1_000_000)}
	if s.plan {
		managed = append(managed, w.scheduleOptions()...)
	}
	m, err := taskflow.New(managed...)
	if err != nil {
		return err
	}
	opts, err := dashboardOptions(s)
	if err != nil {
		return err
	}
	service, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.address)
	if err != nil {
		return err
	}
	p := newProxy("http://" + service.Addr().String())
	front, err := listen(ctx, s.proxy, p)
	if err != nil {
		return errors.Join(err, service.Close())
	}
	defer front.close()
	orders, err := listen(ctx, s.control, newControl(m, w, b, p))
	if err != nil {
		return errors.Join(err, service.Close())
	}
	defer orders.close()
	return runAdapter(ctx, s.adapter, m, opts, service, func() error {
		return json.NewEncoder(out).Encode(map[string]string{
			"direct": "http://" + service.Addr().String() + mount, "proxy": front.url + proxyPrefix, "control": orders.url,
			"address": service.Addr().String(), "front": front.address, "orders": orders.address,
		})
	})
}

func dashboardOptions(s settings) ([]dashboard.Option, error) {
	opts := []dashboard.Option{dashboard.Title(s.title), dashboard.SessionTTL(s.session), dashboard.Heartbeat(time.Second), dashboard.MaxViewers(1000)}
	if !s.users {
		return append(opts, dashboard.Public()), nil
	}
	first, err := dashboard.HashPassword(operatorPassword)
	if err != nil {
		return nil, err
	}
	second, err := dashboard.HashPassword(viewerPassword)
	if err != nil {
		return nil, err
	}
	return append(opts, dashboard.User(operator, first), dashboard.Viewer(viewer, second)), nil
}

// listening is a server beside the service.
type listening struct {
	url, address string
	server       *http.Server
	ended        sync.WaitGroup
}

// listen serves h until close.
func listen(ctx context.Context, address string, h http.Handler) (*listening, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	l := &listening{url: "http://" + ln.Addr().String(), address: ln.Addr().String(),
		server: &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}}
	l.ended.Go(func() {
		if err := l.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("serving ended", "error", err)
		}
	})
	return l, nil
}

func (l *listening) close() {
	_ = l.server.Close() // connections that cannot be closed end with the process
	l.ended.Wait()
}
