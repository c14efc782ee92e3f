package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskflow-go/taskflow/dashboard"
)

// attempt tries a password and returns the status, Retry-After in seconds, and how long the answer took.
func (s *site) attempt(ctx context.Context, user, password, addr string, changes ...change) (status, retryAfter int, took time.Duration) {
	s.t.Helper()
	began := time.Now()
	w := httptest.NewRecorder()
	r := newRequest(ctx, http.MethodPost, "/auth/login", append(changes, form(user, password), from(addr)))
	s.h.ServeHTTP(w, r)
	if ctx.Err() == nil {
		conform(s.t, r, w)
	}
	if text := w.Header().Get("Retry-After"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			s.t.Errorf("Retry-After %q is no number", text)
		}
		retryAfter = n
	}
	return w.Code, retryAfter, time.Since(began)
}

func throttled(t *testing.T, test func(t *testing.T, s *site)) {
	t.Parallel()
	hash := cheapHash(t, "secret")
	synctest.Test(t, func(t *testing.T) { test(t, open(t, dashboard.User("ada", hash), dashboard.User("bob", hash))) })
}

func TestGuessingFromOneAddressIsSlowedDownAndThenRefused(t *testing.T) {
	throttled(t, func(t *testing.T, s *site) {
		var waited time.Duration
		refused := 0
		for i := range 80 {
			// always another user, so that only the address counts
			status, after, took := s.attempt(t.Context(), fmt.Sprintf("user%d", i), "guess", "192.0.2.1:1")
			waited += took
			switch {
			case i < 30 && (status != http.StatusUnauthorized || took != 0):
				t.Fatalf("attempt %d: status %d after %v, want 401 at once", i+1, status, took)
			case status == http.StatusTooManyRequests:
				refused++
				if after < 10 {
					t.Errorf("attempt %d: Retry-After %d, want more than could be waited for", i+1, after)
				}
			}
		}
		if refused < 40 || waited < 5*time.Second {
			t.Errorf("%d of 80 attempts refused after %v of waiting", refused, waited)
		}
		if status, _, took := s.attempt(t.Context(), "ada", "secret", "192.0.2.2:1"); status != http.StatusSeeOther || took != 0 {
			t.Errorf("a user elsewhere gets %d after %v, want in at once", status, took)
		}
		time.Sleep(20 * time.Minute)
		if status, _, took := s.attempt(t.Context(), "ada", "secret", "192.0.2.1:1"); status != http.StatusSeeOther || took != 0 {
			t.Errorf("later, the address gets %d after %v, want in at once", status, took)
		}
	})
}

// An office has one address: who fumbles there holds up nobody else, and a login that succeeds nobody at all.
func TestAFumblerDoesNotHoldUpTheOffice(t *testing.T) {
	throttled(t, func(t *testing.T, s *site) {
		const office = "192.0.2.1:1"
		for range 8 {
			s.attempt(t.Context(), "ada", "typo", office)
		}
		if status, _, took := s.attempt(t.Context(), "bob", "secret", office); status != http.StatusSeeOther || took != 0 {
			t.Errorf("bob gets %d after %v, want in at once", status, took)
		}
		time.Sleep(3 * time.Minute)
		for range 3 {
			for _, user := range []string{"ada", "bob"} {
				if status, _, took := s.attempt(t.Context(), user, "secret", office); status != http.StatusSeeOther || took != 0 {
					t.Errorf("later %s gets %d after %v, want in at once", user, status, took)
				}
			}
		}
	})
}

// A few mistakes an hour, day for day, are no attack, though the address is never quiet for long.
func TestTheMistakesOfABusyOfficeAreForgotten(t *testing.T) {
	throttled(t, func(t *testing.T, s *site) {
		for i := range 200 {
			if status, _, took := s.attempt(t.Context(), fmt.Sprintf("user%d", i), "typo", "192.0.2.1:1"); status != http.StatusUnauthorized || took != 0 {
				t.Fatalf("mistake %d gets %d after %v, want 401 at once", i+1, status, took)
			}
			time.Sleep(5 * time.Minute)
		}
	})
}

// A login of one's own among the guesses takes nothing of the address's trace.
func TestALoginAmongGuessesDoesNotHideThem(t *testing.T) {
	throttled(t, func(t *testing.T, s *site) {
		looked := 0
		for i := range 100 {
			if status, _, _ := s.attempt(t.Context(), fmt.Sprintf("user%d", i), "guess", "192.0.2.1:1"); status == http.StatusUnauthorized {
				looked++
			}
			s.attempt(t.Context(), "bob", "secret", "192.0.2.1:1")
		}
		if looked > 45 {
			t.Errorf("%d of 100 guesses were looked at, want about 30 and a few more", looked)
		}
	})
}

func TestGuessingOneUserFromManyAddressesIsSlowedDown(t *testing.T) {
	for _, user := range []string{"ada", "nobody"} { // an unknown one no less, or else it would show who is known
		t.Run(user, func(t *testing.T) {
			throttled(t, func(t *testing.T, s *site) {
				looked := 0
				for i := range 100 {
					if status, _, _ := s.attempt(t.Context(), user, "guess", fmt.Sprintf("192.0.2.%d:1", i)); status == http.StatusUnauthorized {
						looked++
					}
				}
				begin := time.Now()
				for i := range 20 {
					s.attempt(t.Context(), user, "guess", fmt.Sprintf("198.51.100.%d:1", i))
				}
				if took := time.Since(begin); took < 90*time.Second {
					t.Errorf("20 guesses took %v after %d before, want about 5 s each", took, looked)
				}
			})
		})
	}
}

func TestParallelGuessesGainNothing(t *testing.T) {
	throttled(t, func(t *testing.T, s *site) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		statuses := map[int]int{}
		for i := range 60 {
			wg.Go(func() {
				status, _, _ := s.attempt(t.Context(), "ada", "guess", fmt.Sprintf("192.0.2.%d:1", i))
				mu.Lock()
				defer mu.Unlock()
				statuses[status]++
			})
		}
		wg.Wait()
		if statuses[http.StatusUnauthorized] > 10 || statuses[http.StatusTooManyRequests] < 50 {
			t.Errorf("statuses %v, want at most 10 passwords looked at", statuses)
		}
	})
}

func TestSuccessForgetsTheFailuresOfTheUser(t *testing.T) {
	throttled(t, func(t *testing.T, s *site) {
		for range 3 {
			s.attempt(t.Context(), "ada", "typo", "192.0.2.1:1")
		}
		if status, _, took := s.attempt(t.Context(), "ada", "secret", "192.0.2.1:1"); status != http.StatusSeeOther || took != 500*time.Millisecond {
			t.Errorf("status %d after %v, want in after 500ms", status, took)
		}
		if status, _, took := s.attempt(t.Context(), "ada", "secret", "192.0.2.9:1"); status != http.StatusSeeOther || took != 0 {
			t.Errorf("status %d after %v, want in at once", status, took)
		}
	})
}

func TestAUserUnderAttackStillGetsInFromTheirLastAddress(t *testing.T) {
	throttled(t, func(t *testing.T, s *site) {
		const home = "192.0.2.1:1"
		if status, _, _ := s.attempt(t.Context(), "ada", "secret", home); status != http.StatusSeeOther {
			t.Fatalf("status %d for the first login, want 303", status)
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				for ctx.Err() == nil {
					if status, _, _ := s.attempt(ctx, "ada", "guess", fmt.Sprintf("198.51.100.%d:1", i)); status == http.StatusTooManyRequests {
						time.Sleep(time.Second)
					}
				}
			})
		}
		time.Sleep(time.Minute)
		if status, _, took := s.attempt(t.Context(), "ada", "secret", home); status != http.StatusSeeOther || took != 0 {
			t.Errorf("at the last address: status %d after %v, want in at once", status, took)
		}
		if status, _, _ := s.attempt(t.Context(), "bob", "secret", home); status != http.StatusSeeOther {
			t.Errorf("another user there: status %d, want in", status)
		}
		if status, _, _ := s.attempt(t.Context(), "ada", "guess", "203.0.113.1:1"); status != http.StatusTooManyRequests {
			t.Errorf("at a fresh address: status %d, want 429 like the attacker's own", status)
		}
		stop()
		wg.Wait()
		guessed := 0
		for range 20 {
			if status, _, _ := s.attempt(t.Context(), "ada", "guess", home); status == http.StatusUnauthorized {
				guessed++
			}
		}
		if guessed > 10 {
			t.Errorf("%d of 20 guesses at the last address were looked at: it is not slowed down", guessed)
		}
	})
}

func TestWaitingForALoginEndsWithItsRequest(t *testing.T) {
	throttled(t, func(t *testing.T, s *site) {
		for range 4 {
			s.attempt(t.Context(), "ada", "guess", "192.0.2.1:1")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, _, took := s.attempt(ctx, "ada", "secret", "192.0.2.1:1"); took != 100*time.Millisecond {
			t.Errorf("took %v, want 100ms: the client left then", took)
		}
	})
}

func TestAddressesThatCountTogether(t *testing.T) {
	for name, tt := range map[string]struct {
		addr, via string
		together  bool
	}{
		"one IPv6 network":          {addr: "[2001:db8::%d]:1", together: true},
		"a local proxy's clients":   {addr: "127.0.0.1:1", via: "198.51.100.%d", together: false},
		"a neighbour's header":      {addr: "10.0.0.1:1", via: "198.51.100.%d", together: true},
		"a made-up header":          {addr: "192.0.2.1:1", via: "198.51.100.%d", together: true},
		"a made-up first element":   {addr: "127.0.0.1:1", via: "198.51.100.%d, 203.0.113.1", together: true},
		"another address each time": {addr: "192.0.2.%d:1", together: false},
	} {
		t.Run(name, func(t *testing.T) {
			throttled(t, func(t *testing.T, s *site) {
				refused := false
				for i := range 60 {
					addr, via := strings.Replace(tt.addr, "%d", strconv.Itoa(i), 1), strings.Replace(tt.via, "%d", strconv.Itoa(i), 1)
					status, _, _ := s.attempt(t.Context(), fmt.Sprintf("user%d", i), "guess", addr, func(r *http.Request) {
						if via != "" {
							r.Header.Set("X-Forwarded-For", via)
						}
					})
					refused = refused || status == http.StatusTooManyRequests
				}
				if refused != tt.together {
					t.Errorf("refused: %t, want %t", refused, tt.together)
				}
			})
		})
	}
}
