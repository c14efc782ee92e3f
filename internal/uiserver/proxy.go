package main

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
)

// proxyPrefix is where browsers see behind the proxy what the service has at mount.
const proxyPrefix = "/ops/board"

// proxy stands in front of the service, under another prefix that it strips and tells nobody of. Tests cut its connections.
type proxy struct {
	handler http.Handler
	open    atomic.Int64 // streams at present
	opened  atomic.Int64 // streams ever

	mu     sync.Mutex
	cut    chan struct{} // closed to end what is under way
	closed bool          // nothing gets through
}

func newProxy(service string) *proxy {
	target, err := url.Parse(service)
	if err != nil {
		panic(err) // it was made from a listener's address
	}
	return &proxy{cut: make(chan struct{}), handler: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.URL.Path = mount + strings.TrimPrefix(r.In.URL.Path, proxyPrefix)
			r.Out.URL.RawPath = ""
			r.SetXForwarded()
		},
		FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusBadGateway) // as proxies do, without a problem document
		},
	}}
}

// ServeHTTP implements http.Handler.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, proxyPrefix+"/") && r.URL.Path != proxyPrefix {
		http.NotFound(w, r)
		return
	}
	p.mu.Lock()
	cut, closed := p.cut, p.closed
	p.mu.Unlock()
	if closed {
		panic(http.ErrAbortHandler) // the connection ends without an answer
	}
	if strings.HasSuffix(r.URL.Path, "/dashboard/stream") {
		p.opened.Add(1)
		p.open.Add(1)
		defer p.open.Add(-1)
	}
	ctx, cancel := context.WithCancel(r.Context())
	var watching sync.WaitGroup
	watching.Go(func() { // ended by cancel
		select {
		case <-cut:
			cancel() // an answer that has begun is broken off
		case <-ctx.Done():
		}
	})
	defer watching.Wait()
	defer cancel()
	p.handler.ServeHTTP(w, r.WithContext(ctx))
}

// drop cuts every connection that a request is using.
func (p *proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.cut)
	p.cut = make(chan struct{})
}

// refuse lets nothing through from now on, or everything again.
func (p *proxy) refuse(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = on
}
