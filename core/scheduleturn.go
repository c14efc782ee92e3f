package taskflow

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// turnKept is how long an instance that lives may hold the turn of a schedule: longer than any decision takes, since the turn of one that dies is free
// with its lease, and one that cannot pass its turn on tries again each second.
const turnKept = 10 * time.Minute

var (
	// errTurnTaken: somebody else was deciding for as long as was waited.
	errTurnTaken = errors.New("somebody else has the turn")
	// errTurnLost: it is to be decided anew.
	errTurnLost = fmt.Errorf("%w, and with it the turn to begin a run", ErrLeaseLost)
)

// decide waits for the turn of the caller to decide whether a run of the schedule begins, and to begin it: until done is called nobody else does,
// here or on another instance. Instances take turns by an idempotency key, which belongs to no task but to a token of the schedule here, and thus to
// whoever reserved it, for as long as it is among the instances. Where the backend has no keys, does not know of instances or keeps no state, and
// where runs may overlap, each instance decides for itself.
func (s *schedule) decide(ctx context.Context) (done func(), err error) {
	unlock, err := lock(ctx, s.turn, "another run of the schedule to begin")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errTurnTaken, err)
	}
	if err := s.takeTurn(ctx); err != nil {
		unlock()
		return nil, err
	}
	return func() {
		s.passTurn()
		unlock()
	}, nil
}

// takesTurns reports whether other instances must be kept from deciding.
func (s *schedule) takesTurns() bool {
	_, private := s.o.states.(*privateStates)
	return s.overlap != OverlapAllow && !private && s.o.m.keys.store != nil && s.o.m.peers != nil
}

func (s *schedule) turnKey() string { return "schedule/" + s.name + "/turn" }

// takeTurn gets the turn among instances. The caller holds s.turn.
func (s *schedule) takeTurn(ctx context.Context) error {
	if !s.takesTurns() {
		return nil
	}
	m, taken := s.o.m, false
	for wait := firstLook; ; wait = min(2*wait, lastLook) {
		if m.peers.outcast.Load() {
			return fmt.Errorf("%w, and the backend cannot be reached to get another", ErrLeaseLost)
		}
		owner := m.Instance()
		s.holdTurn(true) // also when only the answer is lost
		holder, err := m.keys.store.ReserveKey(ctx, Reservation{Key: s.turnKey(), TaskID: s.token, Owner: owner, Retention: turnKept})
		switch {
		case err != nil && taken && ctx.Err() != nil:
			return fmt.Errorf("%w: another instance begins a run of it: %w", errTurnTaken, err)
		case err != nil:
			return fmt.Errorf("wait for the other instances: %w", err)
		case holder != s.token:
			s.holdTurn(false)
			taken = true
		case owner == m.Instance(): // otherwise the lease was lost meanwhile, and the turn with it
			s.turnOwner = owner
			return nil
		}
		if pause(ctx, wait); ctx.Err() != nil {
			return fmt.Errorf("%w: another instance begins a run of it: %w", errTurnTaken, ctx.Err())
		}
	}
}

// hasTurn is nil while the turn that was taken is the caller's: it is lost with the lease, and a run that begins under the next one would begin beside
// another's.
func (s *schedule) hasTurn() error {
	if s.takesTurns() && s.turnOwner != s.o.m.Instance() {
		return errTurnLost
	}
	return nil
}

func (s *schedule) holdTurn(held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turnHeld = held
}

// passTurn lets other instances decide, once they can see what was decided here. What fails is tried again by look. The caller holds s.turn.
func (s *schedule) passTurn() {
	s.mu.Lock()
	keep := !s.turnHeld
	for i := range s.own {
		keep = keep || s.own[i].dirty && !s.own[i].over
	}
	s.mu.Unlock()
	if keep {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), scheduleTimeout)
	defer cancel()
	if s.remembered(s.o.m.keys.store.ReleaseKey(ctx, s.turnKey(), s.token)) {
		s.holdTurn(false)
	}
}

// passTurnLate passes on the turn that could not be passed on before, unless somebody here has it.
func (s *schedule) passTurnLate() {
	select {
	case s.turn <- struct{}{}:
		s.passTurn()
		<-s.turn
	default:
	}
}
