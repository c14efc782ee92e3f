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
	userBuckets  = 1024
)

// throttle slows down guessing of passwords. Every attempt books a time slot for its user and for its address; the slots of who
// keeps failing lie further and further apart. Attempts at once are booked one behind the other, so parallelism gains
// nothing.
//
// Its memory is fixed: addresses, and names that are no user's, share buckets by hash. Known users have one each.
type throttle struct {
	mu       sync.Mutex
	seed     maphash.Seed
	users    map[string]*bucket
	unknowns [userBuckets]bucket
	addrs    [addrBuckets]bucket
}

// bucket is what is remembered of the attempts of one user or address.
type bucket struct {
	attempts int // that failed or are under way
	next     time.Time
}

func newThrottle(users []string) *throttle {
	t := &throttle{seed: maphash.MakeSeed(), users: make(map[string]*bucket, len(users))}
	for _, u := range users {
		t.users[u] = &bucket{}
	}
	return t
}

// booking is one attempt that was let through.
type booking struct {
	t          *throttle
	user, addr *bucket
}

// book returns how long the attempt must wait before the password is looked at. If that is longer than maxHold the attempt is
// refused, its booking is nil and wait says when to come again.
func (t *throttle) book(user, addr string, now time.Time) (b *booking, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.users[user]
	if u == nil {
		u = &t.unknowns[maphash.String(t.seed, user)%userBuckets]
	}
	a := &t.addrs[maphash.String(t.seed, addr)%addrBuckets]
	u.fade(now)
	a.fade(now)
	start := now
	for _, next := range []time.Time{u.next, a.next} {
		if next.After(start) {
			start = next
		}
	}
	if wait = start.Sub(now); wait > maxHold {
		return nil, wait
	}
	u.take(start, maxUserGap)
	a.take(start, maxAddrGap)
	return &booking{t, u, a}, wait
}

// succeeded forgets the user's failures. Those of the address stay, but for this attempt: somebody with an account of
// their own could otherwise wipe out the trace of guessing another's.
func (b *booking) succeeded() {
	b.t.mu.Lock()
	defer b.t.mu.Unlock()
	*b.user = bucket{}
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
	if of.attempts > 0 {
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
