package taskflow

import (
	"fmt"
	"sync"
	"time"
)

// keptFirst is how many of a log's first lines stay when it grows too long: how it began explains as much as how it ended.
const keptFirst = 100

// taskLog is the bounded log of one task. Safe for concurrent use; a nil *taskLog is an empty one.
type taskLog struct {
	mu      sync.Mutex
	first   []string
	last    []string // from head on, wrapping around once it is full
	head    int
	dropped int
	bytes   int
}

// add appends a line, dropping lines from the middle when the log is full.
func (l *taskLog) add(line string) {
	line = clip(line, MaxLogLine)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes += len(line)
	if len(l.first) < keptFirst && len(l.last) == 0 && l.bytes <= MaxLogBytes/2 {
		l.first = append(l.first, line)
		return
	}
	if len(l.last)-l.head >= MaxLogLines-keptFirst {
		l.drop()
	}
	l.last = append(l.last, line)
	for l.bytes > MaxLogBytes {
		l.drop()
	}
}

// drop forgets the oldest line behind the first ones.
func (l *taskLog) drop() {
	l.bytes -= len(l.last[l.head])
	l.last[l.head] = ""
	l.head++
	l.dropped++
	if l.head >= MaxLogLines {
		n := copy(l.last, l.last[l.head:])
		clear(l.last[n:])
		l.last, l.head = l.last[:n], 0
	}
}

// lines returns a copy of the log, with a mark where lines were dropped.
func (l *taskLog) lines() []string {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]string, 0, len(l.first)+len(l.last)-l.head+1)
	all = append(all, l.first...)
	if l.dropped > 0 {
		all = append(all, fmt.Sprintf("--- %d lines dropped ---", l.dropped))
	}
	return append(all, l.last[l.head:]...)
}

// count is the number of lines that lines returns.
func (l *taskLog) count() int {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.first) + len(l.last) - l.head
	if l.dropped > 0 {
		n++
	}
	return n
}

func (l *taskLog) size() int {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes + 16*(len(l.first)+cap(l.last))
}

// logLine appends a line to the job's log. A job that has ended takes no more: its record is being stored.
func (j *job) logLine(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.status.Final() {
		j.appendLog(line)
	}
}

// appendLog appends a line. The caller holds j.mu.
func (j *job) appendLog(line string) {
	if j.log == nil {
		j.log = &taskLog{}
	}
	j.log.add(line)
	if j.m.hub.wanted() {
		j.m.hub.publish(Event{
			Kind: EventLog, Time: time.Now(), Line: clip(line, MaxLogLine), Task: Record{ID: j.id.String(), LogCount: j.log.count()},
		})
	}
}

// note appends a line of taskflow's own. The caller holds j.mu.
func (j *job) note(now int64, text string) {
	j.appendLog(logStamp(time.Unix(0, now)) + " WARN taskflow: " + text)
}
