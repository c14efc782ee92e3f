package taskflow

import (
	"context"
	"time"
)

// Backend keeps records beyond the memory of the process: the history of finished tasks, and the pending ones that wait
// for the next start. These six methods are all that a backend of your own needs; what else it can do it says by also
// implementing the optional interfaces below, which the manager looks for once, at Start. See [Capabilities].
//
// History and pending are two stores that never mix. All methods are called concurrently, must honour their context, and
// wrap their errors with the operation. Records are ordered by id, which is the order in which they were added.
//
// The package backendtest proves an implementation.
type Backend interface {
	// Save stores finished records in the history and returns how many it wrote. Saving a record again replaces it. A
	// record that was pending under the same id is pending no more: a backend with a Journal or Claimer removes that row
	// in the same atomic step. A record with an Owner is written only by who holds its task: one whose pending row another owner
	// holds, or that has no such row but is in the history with another Owner, is left out and not counted. (No owner is not
	// another one: a row that is free can be finished by who held it, and a record without an Owner is always written.)
	Save(ctx context.Context, records []Record) (int, error)
	// Load returns every finished record, in no particular order. A row that cannot be read is reported (logged) and
	// skipped: it must not hide the others.
	Load(ctx context.Context) ([]Record, error)
	// SavePending stores the unfinished tasks of this instance at its graceful stop, replacing what this instance stored
	// before (and nothing that another instance stored). They have no owner from then on: whoever starts next may take
	// them. Rows that another instance holds are left alone, and with a Journal a task that is finished is not pending again: neither
	// is counted. Returns how many it wrote. An instance is whoever joined, claimed or put rows through this Backend.
	SavePending(ctx context.Context, records []Record) (int, error)
	// LoadPending returns the unfinished tasks. Called at Start.
	LoadPending(ctx context.Context) ([]Record, error)
	// ClearPending removes all unfinished tasks. Called at Start after LoadPending, only for a backend that is no Claimer.
	ClearPending(ctx context.Context) error
	// Close releases what the backend holds. Calling it again does nothing. Other methods return an error afterwards.
	Close() error
}

// Opener is implemented by a backend that is described first and opened by [Manager.Start], so that New needs no
// context and does no I/O. Start calls it once, before anything else.
type Opener interface {
	Open(ctx context.Context) error
}

// Filter selects records. The zero Filter selects all; every field that is set must match.
type Filter struct {
	Statuses []Status          // any of these
	Name     string            // exactly this task name
	Text     string            // contained in name, error or a tag's value, or the beginning of the id; letter case is ignored (ASCII)
	Tags     map[string]string // all of these tags with exactly these values; an empty value asks for the key only
	Source   string
	Since    time.Time // added at or after
	Until    time.Time // added before
}

// Query asks for one page of records, newest first, that is by descending id.
type Query struct {
	Filter
	Before string // only records whose id is smaller: the last id of the page before
	Limit  int    // at most this many; backends may rely on 1 to 1000
	Full   bool   // with logs, stack and arguments; otherwise Record.Summary suffices
}

// Page is the answer to a Query.
type Page struct {
	Records []Record
	// Next is what to set as Before for the next page; empty when there is nothing more. A backend that stops searching
	// to bound its work may return fewer records than Limit, even none, together with a Next.
	Next string
}

// Querier answers listings without loading the whole history.
type Querier interface {
	Query(ctx context.Context, q Query) (Page, error)
	// Get returns one finished record in full; ErrNotFound when there is none.
	Get(ctx context.Context, id string) (Record, error)
	// Count returns how many finished records match, counting no further than limit. exact is false when there may be
	// more: because limit was reached, or because the backend bounds its work.
	Count(ctx context.Context, f Filter, limit int) (n int, exact bool, err error)
}

// StatsReader answers totals of the whole history in constant time.
type StatsReader interface {
	Stats(ctx context.Context) (Stats, error)
}

// Deleter removes old history.
type Deleter interface {
	// DeleteBefore removes finished records added before t, whatever their status, and returns how many.
	DeleteBefore(ctx context.Context, t time.Time) (int, error)
}

// RecordDeleter removes chosen records from the history.
type RecordDeleter interface {
	// Delete removes the finished records of these ids and returns how many it removed. Ids that are unknown, no ids, or of unfinished tasks do
	// nothing, and an id counts once however often it is given. It may work in steps: with an error, some may be gone.
	Delete(ctx context.Context, ids []string) (int, error)
}

// Claimer hands a pending task to exactly one of the instances that share a backend.
type Claimer interface {
	// Claim makes owner the holder of at most limit pending rows that have no owner and whose name is one of names, those with the
	// smallest ids first, each atomically, and returns them in that order with the new Owner. Who claims again and again may be given those that
	// became free meanwhile last. A row that cannot be read, or whose format is newer
	// than [RecordFormat], is not claimed, and does not keep others from being. A claimed row stays until Save stores the finished record.
	Claim(ctx context.Context, owner string, names []string, limit int) ([]Record, error)
}

// Journal makes Submit possible.
type Journal interface {
	// PutPending stores or replaces unfinished records, all or none, and returns when they are safe. Their Owner is the
	// instance that holds them. A row that another owner holds is not replaced, and a task that is finished is not pending again: the
	// error is ErrLeaseLost, and nothing is stored. The same with a KeyStore for a task that is not pending yet and whose Key another task has
	// been given: its instance has lost its lease between the reservation and this call. In the same atomic step: if ReserveKey gives the
	// key away, PutPending is refused, and if PutPending stores the task, ReserveKey says that it has the key.
	PutPending(ctx context.Context, records []Record) error
}

// AuditLog stores who did what on the dashboard.
type AuditLog interface {
	AppendAudit(ctx context.Context, entry AuditEntry) error
	// Audit returns entries, newest first: at most limit, and only those with an id below before (empty: from the newest).
	Audit(ctx context.Context, before string, limit int) ([]AuditEntry, error)
}

// SecretStore keeps small secrets that all instances share, like the key that signs sessions.
type SecretStore interface {
	// LoadOrStoreSecret returns the secret of that name, storing value first if there is none, atomically.
	LoadOrStoreSecret(ctx context.Context, name string, value []byte) ([]byte, error)
}

// AuditEntry is one line of the audit trail.
type AuditEntry struct {
	ID   string    `json:"entry_id"` // UUIDv7
	Time time.Time `json:"timestamp"`
	// Action is "retry", "cancel", "bulk_retry", "retry_failed", "delete_history", "operation_start", "operation_stop", "operation_end",
	// "schedule_run", "schedule_pause", "schedule_resume", "login", "login_failed" or "logout".
	Action string         `json:"action"`
	TaskID string         `json:"task_id"` // empty where the action concerns no single task
	Actor  string         `json:"actor"`   // user name, or "anonymous"
	Remote string         `json:"remote"`  // client address
	Detail map[string]any `json:"detail"`
}

// Capability is the name of an optional interface of a backend.
type Capability string

// The capabilities, in the order of [Capabilities].
const (
	CapabilityQuery   Capability = "query"   // Querier
	CapabilityStats   Capability = "stats"   // StatsReader
	CapabilityDelete  Capability = "delete"  // Deleter
	CapabilityClaim   Capability = "claim"   // Claimer
	CapabilityJournal Capability = "journal" // Journal
	CapabilityAudit   Capability = "audit"   // AuditLog
	CapabilitySecrets Capability = "secrets" // SecretStore

	CapabilityDeleteRecords Capability = "delete_records" // RecordDeleter

	CapabilityInstances Capability = "instances" // InstanceStore
	CapabilityPending   Capability = "pending"   // PendingQuerier
	CapabilityKeys      Capability = "keys"      // KeyStore
	CapabilitySlots     Capability = "slots"     // SlotStore
	CapabilityMessages  Capability = "messages"  // Messenger
	CapabilityNotify    Capability = "notify"    // Notifier
	CapabilityState     Capability = "state"     // StateStore
	CapabilitySeries    Capability = "series"    // SeriesStore
)

// Capabilities lists what b offers beyond the six methods.
func Capabilities(b Backend) []Capability {
	var all []Capability
	for _, c := range []struct {
		name Capability
		has  bool
	}{
		{CapabilityQuery, implements[Querier](b)},
		{CapabilityStats, implements[StatsReader](b)},
		{CapabilityDelete, implements[Deleter](b)},
		{CapabilityDeleteRecords, implements[RecordDeleter](b)},
		{CapabilityClaim, implements[Claimer](b)},
		{CapabilityJournal, implements[Journal](b)},
		{CapabilityAudit, implements[AuditLog](b)},
		{CapabilitySecrets, implements[SecretStore](b)},
		{CapabilityInstances, implements[InstanceStore](b)},
		{CapabilityPending, implements[PendingQuerier](b)},
		{CapabilityKeys, implements[KeyStore](b)},
		{CapabilitySlots, implements[SlotStore](b)},
		{CapabilityMessages, implements[Messenger](b)},
		{CapabilityNotify, implements[Notifier](b)},
		{CapabilityState, implements[StateStore](b)},
		{CapabilitySeries, implements[SeriesStore](b)},
	} {
		if c.has {
			all = append(all, c.name)
		}
	}
	return all
}

func implements[T any](b Backend) bool { _, ok := b.(T); return ok }
