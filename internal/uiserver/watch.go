package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// watch opens streams as so many viewers would, prints a line when all are open, and what they have received when ctx ends.
func watch(ctx context.Context, s settings, out io.Writer) error {
	var open, events, bytesRead atomic.Int64
	var viewers sync.WaitGroup
	opened := make(chan error, s.viewers)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: s.viewers}}
	for range s.viewers {
		viewers.Go(func() { // ended by ctx
			opened <- view(ctx, client, s.watch, func(line []byte) {
				bytesRead.Add(int64(len(line)))
				if bytes.HasPrefix(line, []byte("event: hello")) {
					open.Add(1)
					opened <- nil
				} else if bytes.HasPrefix(line, []byte("event: ")) {
					events.Add(1)
				}
			})
		})
	}
	defer viewers.Wait()
	for range s.viewers {
		if err := <-opened; err != nil {
			return err
		}
	}
	enc := json.NewEncoder(out)
	if err := enc.Encode(map[string]int64{"open": open.Load()}); err != nil {
		return err
	}
	<-ctx.Done()
	return enc.Encode(map[string]int64{"events": events.Load(), "bytes": bytesRead.Load()})
}

// view reads one stream; it returns nil when ctx has ended.
func view(ctx context.Context, client *http.Client, url string, line func([]byte)) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // only read from
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the stream was answered %s", answer.Status)
	}
	lines := bufio.NewReaderSize(answer.Body, 1<<20)
	for {
		text, err := lines.ReadSlice('\n')
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		line(text)
	}
}
