package dashboard

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	firstGap    = 500 * time.Millisecond // after the free attempts, doubling
	gapDoubles  = 16                     // far beyond any cap, and before the shift overflows
	maxHold     = 10 * time.Second       // a longer wait is refused instead of waited for
	forgetAfter = 15 * time.Minute       // without an attempt
	buckets     = 4096                   // of each kind
)

// allowance is how many attempts that fail are free, and what follows them.
type allowance struct {
	free    int
	most    time.Duration // between attempts
	forgive time.Duration // one failure is forgotten each time this has passed
}

// throttle slows down guessing of passwords. Every attempt books a time slot for its user, for its user at its address, and for its address; the
// slots of who keeps failing lie further and further apart. Attempts at once are booked one behind the other, so parallelism gains
// nothing.
//
// An address may be a whole office: it is allowed many more failures than one user there, and forgets them soon. An attempt that succeeds is as if it
// had not been.
//
// Its memory is fixed: names and addresses share buckets by hash, and known names are treated like any other, so that how long an answer
// takes does not tell who is a user.
//
// Somebody who guesses one user's password without end, from many addresses, keeps that user's slots taken: the user is refused too, but
// at the address of the last login, which does not wait for those slots. Letting in every address without failures would give a free
// guess to each of an attacker's.
type throttle struct {
	mu    sync.Mutex
	seed  maphash.Seed
	users [buckets]bucket
	pairs [buckets]bucket // of a user and an address
	homes [buckets]uint64 // hash of the name and address of the last login; 0: none
	addrs [buckets]bucket
}

// bucket is what is remembered of the attempts of one user, or address, or both.
type bucket struct {
	attempts int // that failed or are under way
	next     time.Time
	faded    time.Time // until when failures were forgotten
}

func newThrottle() *throttle { return &throttle{seed: maphash.MakeSeed()} }

// booking is one attempt that was let through.
type booking struct {
	t     *throttle
	slots []slot // of the address first
	home  *uint64
	here  uint64 // what home becomes if the attempt succeeds
}

// slot is what an attempt took of a bucket.
type slot struct {
	of            *bucket
	by            allowance
	before, after time.Time // bucket.next
}

// book returns how long the attempt must wait before the password is looked at. If that is longer than maxHold the attempt is
// refused, its booking is nil and wait says when to come again.
func (t *throttle) book(user, addr string, now time.Time) (b *booking, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, pair := maphash.String(t.seed, user)%buckets, maphash.Comparable(t.seed, [2]string{user, addr})
	b = &booking{t: t, home: &t.homes[at], here: pair, slots: []slot{
		{of: &t.addrs[maphash.String(t.seed, addr)%buckets], by: allowance{free: 30, most: time.Minute, forgive: time.Minute}},
		{of: &t.pairs[pair%buckets], by: allowance{free: 3, most: time.Minute, forgive: 5 * time.Minute}},
	}}
	if *b.home != b.here { // an attacker must not lock a user out for long, and not at all at home
		b.slots = append(b.slots, slot{of: &t.users[at], by: allowance{free: 3, most: 5 * time.Second, forgive: 5 * time.Minute}})
	}
	start := now
	for _, s := range b.slots {
		s.of.fade(now, s.by)
		if s.of.next.After(start) {
			start = s.of.next
		}
	}
	if wait = start.Sub(now); wait > maxHold {
		return nil, wait
	}
	for i := range b.slots {
		b.slots[i].take(start)
	}
	return b, wait
}

// succeeded forgets the user's failures. Those of the address stay, but for this attempt: somebody with an account of
// their own could otherwise wipe out the trace of guessing another's.
func (b *booking) succeeded() {
	b.t.mu.Lock()
	defer b.t.mu.Unlock()
	*b.home = b.here
	b.slots[0].giveBack()
	for _, s := range b.slots[1:] {
		*s.of = bucket{}
	}
}

// withdrawn takes back an attempt whose password was never looked at.
func (b *booking) withdrawn() {
	b.t.mu.Lock()
	defer b.t.mu.Unlock()
	for i := range b.slots {
		b.slots[i].giveBack()
	}
}

func (s *slot) take(start time.Time) {
	s.of.attempts = min(s.of.attempts+1, s.by.free+gapDoubles)
	s.before, s.after = s.of.next, start.Add(s.by.gap(s.of.attempts))
	s.of.next = s.after
}

// giveBack leaves the bucket as if the slot had not been taken. Who has booked a slot behind it keeps that.
func (s *slot) giveBack() {
	s.of.attempts = max(s.of.attempts-1, 0)
	if s.of.next.Equal(s.after) {
		s.of.next = s.before
	}
}

func (b *bucket) fade(now time.Time, by allowance) {
	if b.attempts == 0 || now.Sub(b.next) > forgetAfter {
		*b = bucket{next: b.next, faded: now}
		return
	}
	forgiven := max(int(now.Sub(b.faded)/by.forgive), 0)
	b.attempts = max(b.attempts-forgiven, 0)
	b.faded = b.faded.Add(time.Duration(forgiven) * by.forgive)
}

// gap is the time between an attempt and the next, after so many.
func (by allowance) gap(attempts int) time.Duration {
	over := attempts - by.free
	if over < 0 {
		return 0
	}
	return min(firstGap<<min(over, gapDoubles), by.most)
}
