package dashboard

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	freeAttempts = 3                      // failures before anybody is slowed down
	firstGap     = 500 * time.Millisecond // after them, doubling
	maxUserGap   = 5 * time.Second        // between attempts on one user: an attacker must not lock a user out for long
	maxAddrGap   = time.Minute            // between attempts from one address
	maxHold      = 10 * time.Second       // a longer wait is refused instead of waited for
	forgetAfter  = 15 * time.Minute       // without an attempt
	addrBuckets  = 4096
	userBuckets  = 4096
)

// throttle slows down guessing of passwords. Every attempt books a time slot for its user and for its address; the slots of who
// keeps failing lie further and further apart. Attempts at once are booked one behind the other, so parallelism gains
// nothing.
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
	users [userBuckets]bucket
	homes [userBuckets]uint64 // hash of the name and address of the last login; 0: none
	addrs [addrBuckets]bucket
}

// bucket is what is remembered of the attempts of one user or address.
type bucket struct {
	attempts int // that failed or are under way
	next     time.Time
}

func newThrottle() *throttle { return &throttle{seed: maphash.MakeSeed()} }

// booking is one attempt that was let through.
type booking struct {
	t          *throttle
	user, addr *bucket // user is nil at the user's home address
	home       *uint64
	here       uint64 // what home becomes if the attempt succeeds
}

// book returns how long the attempt must wait before the password is looked at. If that is longer than maxHold the attempt is
// refused, its booking is nil and wait says when to come again.
func (t *throttle) book(user, addr string, now time.Time) (b *booking, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := maphash.String(t.seed, user) % userBuckets
	b = &booking{t: t, addr: &t.addrs[maphash.String(t.seed, addr)%addrBuckets], home: &t.homes[at], here: maphash.Comparable(t.seed, [2]string{user, addr})}
	if *b.home != b.here {
		b.user = &t.users[at]
	}
	start := now
	for _, x := range []*bucket{b.user, b.addr} {
		if x == nil {
			continue
		}
		x.fade(now)
		if x.next.After(start) {
			start = x.next
		}
	}
	if wait = start.Sub(now); wait > maxHold {
		return nil, wait
	}
	if b.user != nil {
		b.user.take(start, maxUserGap)
	}
	b.addr.take(start, maxAddrGap)
	return b, wait
}

// succeeded forgets the user's failures. Those of the address stay, but for this attempt: somebody with an account of
// their own could otherwise wipe out the trace of guessing another's.
func (b *booking) succeeded() {
	b.t.mu.Lock()
	defer b.t.mu.Unlock()
	*b.home = b.here
	if b.user != nil {
		*b.user = bucket{}
	}
	b.refund(b.addr)
}

// withdrawn takes back an attempt whose password was never looked at.
func (b *booking) withdrawn() {
	b.t.mu.Lock()
	defer b.t.mu.Unlock()
	b.refund(b.user)
	b.refund(b.addr)
}

func (b *booking) refund(of *bucket) {
	if of != nil && of.attempts > 0 {
		of.attempts--
	}
}

func (b *bucket) fade(now time.Time) {
	if now.Sub(b.next) > forgetAfter {
		*b = bucket{}
	}
}

func (b *bucket) take(start time.Time, most time.Duration) {
	b.attempts++
	b.next = start.Add(gap(b.attempts, most))
}

// gap is the time between an attempt and the next, after so many.
func gap(attempts int, most time.Duration) time.Duration {
	over := attempts - freeAttempts
	switch {
	case over < 0:
		return 0
	case over > 16: // far beyond any cap, and before the shift overflows
		return most
	}
	return min(firstGap<<over, most)
}
