package taskflow

import (
	"context"
	"time"
)

// What follows is for backends that several instances share, on one machine or on many. Each interface is optional and found
// by type assertion at Start, see [Capabilities]. Whatever has to do with time is measured by the clock of the backend: an
// instance's own clock may be an hour off.

// Instance describes a running Manager to the others that share its backend. Its JSON form is what /instances shows.
type Instance struct {
	ID        string    `json:"instance_id"`
	Host      string    `json:"host"` // name of the machine
	PID       int       `json:"pid"`
	Program   string    `json:"program"`    // name of the executable
	Version   string    `json:"version"`    // of the main module, from its build information
	StartedAt time.Time `json:"started_at"` // by its own clock
	// SeenAt and ExpiresAt are set by the backend: when the last heartbeat came, and when the lease ends without another.
	SeenAt    time.Time  `json:"last_seen"`
	ExpiresAt time.Time  `json:"lease_expires"`
	Pools     []PoolInfo `json:"pools"`
	Running   int        `json:"running"` // tasks
	Waiting   int        `json:"waiting"` // tasks: ready, delayed, or with a request
	// DegradedSince is when its writes to the backend began to fail; zero: they do not.
	DegradedSince time.Time `json:"degraded_since,omitzero"`
	// Live are its unfinished tasks that the backend has no row of, newest first, as summaries: at most [MaxLiveShown].
	Live []Record `json:"live,omitempty"`
}

// MaxLiveShown bounds [Instance.Live].
const MaxLiveShown = 100

// InstanceStore keeps the leases of instances. An instance whose lease has ended holds nothing any more: its rows are free once Expire has removed
// it, and what it still writes to one that somebody else has taken or finished is refused with ErrLeaseLost. A manager does not write
// any more under a lease that it knows to be over.
type InstanceStore interface {
	// Join adds an instance with a lease that ends ttl (at least 1 ms) from now. Joining again replaces what is stored.
	Join(ctx context.Context, i Instance, ttl time.Duration) error
	// Renew replaces what is stored of an instance and lets its lease end ttl from now; ErrLeaseLost when it is not among the
	// instances any more, because Expire has removed it. One whose lease is over, but that nobody has removed yet, keeps it.
	Renew(ctx context.Context, i Instance, ttl time.Duration) error
	// Leave removes an instance that stops. Rows that it still holds are freed, as by Expire. Unknown ids do nothing.
	Leave(ctx context.Context, id string) error
	// Expire removes the instances whose lease is over (or whose process is known to be dead), and frees every pending row
	// whose owner is not among the instances any more, in one atomic step. It returns the ids of those it removed.
	Expire(ctx context.Context) ([]string, error)
	// Instances returns all, in the order of their ids.
	Instances(ctx context.Context) ([]Instance, error)
}

// PendingQuerier lists the unfinished rows of every instance as [Querier] lists the finished ones.
type PendingQuerier interface {
	QueryPending(ctx context.Context, q Query) (Page, error)
	// GetPending returns one unfinished record in full; ErrNotFound when there is none.
	GetPending(ctx context.Context, id string) (Record, error)
}

// Reservation asks for an idempotency key.
type Reservation struct {
	Key       string        // as the application gave it: 1 to [MaxKeyBytes] bytes
	TaskID    string        // the task that is to have it
	Owner     string        // the instance that has the task in memory
	Retention time.Duration // how long the key is kept, counted from now; at least 1 ms
}

// KeyStore gives an idempotency key to one task at a time.
type KeyStore interface {
	// ReserveKey gives the key to r.TaskID, atomically, and returns that id; or returns the id of the task that has it. Until its retention
	// is over, a task that was given a key has it while it is pending, when it is finished with StatusSuccess, and when it is neither
	// pending nor finished but the instance that reserved it is among the instances. One that is finished with any other status has
	// not: so a process that dies before it can call ReleaseKey leaves no key behind. The task that has the key may reserve it
	// again: owner and retention are the new ones then.
	ReserveKey(ctx context.Context, r Reservation) (holder string, err error)
	// ReleaseKey frees a key that taskID has, at once: the task has failed, or it is not known whether ReserveKey gave it the key. When
	// another task has it, nothing happens.
	ReleaseKey(ctx context.Context, key, taskID string) error
}

// KeyReleaser is implemented by a [KeyStore] that frees many keys faster together than one by one: a server that comes back meets the keys of
// all that was refused while it was away.
type KeyReleaser interface {
	// ReleaseKeys does for the Key and the TaskID of each reservation what ReleaseKey does. With an error, some may be free.
	ReleaseKeys(ctx context.Context, held []Reservation) error
}

// SlotStore gives each moment of a schedule to exactly one instance.
type SlotStore interface {
	// TakeSlot takes a slot if it is later than every slot of the schedule that was taken before, atomically, and reports whether it did:
	// then, and only then, the caller runs what is due. There is nothing to release. Slots are compared to the microsecond.
	TakeSlot(ctx context.Context, schedule string, slot time.Time) (taken bool, err error)
}

// Messenger carries small messages from one instance to all: "cancel this task". They are kept for [MessageRetention], so that one
// that polls each second misses none.
type Messenger interface {
	// Post stores a message of up to 64 KB.
	Post(ctx context.Context, body []byte) error
	// Receive returns messages posted after the position, oldest first, at most limit, and the new position. An empty position
	// is the present: it returns no message. Positions are opaque, and stay valid for as long as messages are kept.
	Receive(ctx context.Context, after string, limit int) (bodies [][]byte, position string, err error)
}

// MessageRetention is how long a [Messenger] keeps a message, at least.
const MessageRetention = time.Minute

// Notifier tells at once when something has changed, so that nobody has to wait for the next poll.
type Notifier interface {
	// Notify calls wake soon after each Post, and each time that pending rows became free, by whichever instance; also after
	// its connection was interrupted, when it may have missed one. It returns when ctx ends, with its error, or when the connection
	// cannot be kept: then the manager polls, and calls it again later. wake does not block.
	Notify(ctx context.Context, wake func()) error
}
