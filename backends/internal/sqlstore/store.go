package sqlstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// Config is what a [Store] is made of.
type Config struct {
	Package string        // begins its errors and logs
	Target  func() string // the server, for errors and logs; without password
	// Connect connects to the server. It is called by Open, again after a failure.
	Connect func(ctx context.Context) (Database, error)
	Kind    func(error) Kind // see [Dialect.Kind]; needed before there is a Dialect
	Settings
}

// Store implements every interface of a backend but [taskflow.Notifier]. Made by [New], opened by Open. Safe for concurrent use.
type Store struct {
	cfg Config

	mu      sync.Mutex    // guards the three below; never held while the server is waited for
	session *session      // nil: not open
	opening chan struct{} // closed at the end of the Open in progress; nil: there is none
	closed  bool
}

// New describes a store. It does no I/O.
func New(cfg Config) *Store { return &Store{cfg: cfg} }

// Open connects to the server and creates or migrates the tables. It fails with [taskflow.ErrInvalidOption] where an option is
// the reason, with one of this package's errors where the server is, and when the backend is open already. After a failure it
// may be called again.
func (s *Store) Open(ctx context.Context) error {
	opening, err := s.beginOpen(ctx)
	if err != nil {
		return s.wrap(ctx, "open", err)
	}
	opened, err := s.connect(ctx)
	return s.wrap(ctx, "open", s.endOpen(opening, opened, err))
}

func (s *Store) beginOpen(ctx context.Context) (opening chan struct{}, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, ErrClosed
	case s.session != nil:
		return nil, errors.New("it is open already")
	case s.opening != nil:
		return nil, errors.New("it is being opened already")
	case s.cfg.Err != nil:
		return nil, fmt.Errorf("%w: %w", taskflow.ErrInvalidOption, s.cfg.Err)
	}
	s.opening = make(chan struct{})
	return s.opening, nil
}

func (s *Store) connect(ctx context.Context) (*session, error) {
	db, err := s.cfg.Connect(ctx)
	if err != nil {
		return nil, err
	}
	opened := newSession(s, db)
	if err := opened.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return opened, nil
}

func (s *Store) endOpen(opening chan struct{}, opened *session, err error) error {
	defer close(opening) // Close waits for it, so what is undone here is undone when Close returns
	s.mu.Lock()
	closed := s.closed
	s.opening = nil
	if err == nil && !closed {
		s.session = opened
	}
	s.mu.Unlock()
	if err == nil && closed {
		return errors.Join(ErrClosed, opened.db.Close())
	}
	return err
}

// Close waits for the calls in progress, Open among them, and closes the connections; calls that come meanwhile fail with
// ErrClosed. Calling it again does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	opened, opening := s.session, s.opening
	s.session, s.closed = nil, true
	s.mu.Unlock()
	switch {
	case opening != nil:
		<-opening
	case opened != nil:
		close(opened.closing)
		opened.calls.Wait()
		return s.wrap(context.Background(), "close", opened.db.Close())
	}
	return nil
}

// enter begins a call. The caller defers leave: Close waits for it.
func (s *Store) enter(ctx context.Context) (opened *session, leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.session != nil:
		s.session.calls.Add(1)
		return s.session, s.session.calls.Done, nil
	case s.closed:
		return nil, nil, ErrClosed
	}
	return nil, nil, ErrNotOpen
}

// Use calls f with the database of an open backend, and with a channel that Close closes before it waits for f.
func (s *Store) Use(ctx context.Context, operation string, f func(db Database, closing <-chan struct{}) error) error {
	opened, leave, err := s.enter(ctx)
	if err == nil {
		defer leave()
		err = f(opened.db, opened.closing)
	}
	return s.wrap(ctx, operation, err)
}

// read calls f, which changes nothing.
func (s *Store) read(ctx context.Context, operation string, f func(*session) error) error {
	opened, leave, err := s.enter(ctx)
	if err == nil {
		defer leave()
		err = f(opened)
	}
	return s.wrap(ctx, operation, err)
}

// write calls f in a transaction, again when another transaction was in the way.
func (s *Store) write(ctx context.Context, operation string, f func(*session, Tx) error) error {
	return s.guess(ctx, operation, func(o *session, tx Tx, _ bool) error { return f(o, tx) })
}

// guess is write for what is cheaper if something is so that mostly is so: f may take it for granted the first time, if a
// duplicate key tells when it is not.
func (s *Store) guess(ctx context.Context, operation string, f func(o *session, tx Tx, first bool) error) error {
	opened, leave, err := s.enter(ctx)
	if err == nil {
		defer leave()
		err = opened.transaction(ctx, f)
	}
	return s.wrap(ctx, operation, err)
}

// skipped reports a row that cannot be read: it must not hide the others.
func (s *Store) skipped(table, id string, err error) {
	s.cfg.Log.Warn("taskflow: a stored row cannot be read and is skipped",
		slog.String("backend", s.cfg.Package), slog.String("server", s.cfg.Target()),
		slog.String("table", table), slog.String("id", id), slog.Any("error", err))
}

// session is a store between Open and Close.
type session struct {
	store   *Store
	cfg     *Config
	db      Database
	dialect Dialect
	closing chan struct{}  // closed by Close
	calls   sync.WaitGroup // in progress; Add only under Store.mu while the session is the store's

	id    string // tells this handle's snapshots of pending tasks from others'
	shard int64  // of the totals, see totals.go

	mu     sync.Mutex
	owners map[string]bool // for whom rows were stored or claimed through this handle
	counts map[string]int  // calls, see every
	mark   ID              // where the next Claim begins, see claim
}

func newSession(s *Store, db Database) *session {
	var handle ID
	binary.BigEndian.PutUint64(handle[:], rand.Uint64())
	binary.BigEndian.PutUint64(handle[8:], rand.Uint64())
	return &session{
		store: s, cfg: &s.cfg, db: db, dialect: db.Dialect(), closing: make(chan struct{}),
		id: handle.String(), shard: shardOf(handle), owners: map[string]bool{}, counts: map[string]int{},
	}
}

// seen remembers an owner as one of this handle's.
func (s *session) seen(owner string) {
	if owner == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owners[owner] = true
}

func (s *session) ours(owner string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owners[owner]
}

// every reports whether the n-th call of some kind has come, counting from the first.
func (s *session) every(n int, kind string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[kind]++
	return s.counts[kind]%n == 1 || n == 1
}
