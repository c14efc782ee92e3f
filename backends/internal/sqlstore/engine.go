package sqlstore

import "context"

// Database is a server that has been connected to. Safe for concurrent use. Errors are the driver's; a context that ends is
// an error that wraps the context's.
type Database interface {
	Dialect() Dialect
	// Query calls each with every row of the answer.
	Query(ctx context.Context, sql string, args []any, each func(Row) error) error
	// Search is Query for what is to be read along the indexes of [Dialect.Walk], whatever the server believes to be cheaper.
	Search(ctx context.Context, sql string, args []any, each func(Row) error) error
	// Transaction calls f in a transaction at READ COMMITTED: what f did is stored if it returns nil, and undone otherwise.
	Transaction(ctx context.Context, f func(Tx) error) error
	// Exclusive calls f while no other program does the same with the same tables. Where the server can undo changes of the
	// schema, it is a transaction.
	Exclusive(ctx context.Context, f func(Tx) error) error
	// Close waits for the calls in progress.
	Close() error
}

// Tx runs statements one after the other, on one connection. Arguments are string, []byte, int64, [ID], nil, and what
// [Dialect.In] returns.
type Tx interface {
	// Exec returns how many rows the statement changed. A row that an INSERT replaced, or an UPDATE left as it was, counts
	// with one server and not with another.
	Exec(ctx context.Context, sql string, args ...any) (changed int64, err error)
	// Later runs the statement at once, or together with the next one to save a round trip. Its error is that of the next
	// call, or of the whole transaction; changed has its value, as from Exec, after the next call.
	Later(ctx context.Context, sql string, args ...any) (changed *int64)
	Query(ctx context.Context, sql string, args []any, each func(Row) error) error
}

// Row is one row of an answer. Destinations are *string, **string, *[]byte, *int64, **int64, *bool and *[ID].
type Row interface {
	Scan(dest ...any) error
}

// Fragment is a piece of SQL and what its question marks stand for.
type Fragment struct {
	SQL  string
	Args []any
}

// Dialect is how a server differs from others.
type Dialect interface {
	// Statement replaces what the SQL of this package has in place of a server's own words:
	//
	//	{x}         the name of table x
	//	?           the mark of a parameter
	//	{now}       the server's clock, in nanoseconds since 1970, independent of transactions
	//	{join}      a join whose left side is read first
	//	{by owner}  after the table pending: by that index
	//	{free order} the order of free rows h of pending by their ids, in the words that let the server go through that index
	//	{owners}    a table of the owners of pending rows, each once, which the server finds without reading all rows
	Statement(sql string) string
	// Schema returns the script that leads to a version from the one before; ok is false when there is no such version. Its
	// statements end with a semicolon at the end of a line. Run again after it was interrupted, it goes on.
	Schema(version int) (script string, ok bool)
	// Columns asks for (table, column) of every column of those tables, without their prefix, that exist.
	Columns(tables []string) Fragment
	// In is the condition that the column is one of a list, a []ID or []string.
	In(column string, list any) Fragment
	// Contains is the condition that the bytes of the column contain some.
	Contains(column string, part []byte) Fragment
	// Unindexed is the column in a form that no index serves.
	Unindexed(column string) string
	// Insert returns statements that together insert the rows, few and none larger than the server takes.
	Insert(t *Table, c Conflict, rows [][]any) []Fragment
	// CountsReplaced reports whether the rows changed, as an Insert with Conflict.Set returns them, are those inserted and those
	// replaced, each counted once.
	CountsReplaced() bool
	// Walk reads an index.
	Walk(w Walk, low, high ID) Range
	// Notify is the statement that wakes the listeners of all instances; empty: there are none.
	Notify() string
	// Kind tells what an error of the server or of its driver means.
	Kind(err error) Kind
}

// Conflict says what becomes of a row whose key is there already.
type Conflict struct {
	// Key are the columns that must be unique. None: a conflict is an error.
	Key []string
	// Set are columns that take the new value, in this order; Add are those to which it is added. None of both: the old row stays.
	Set, Add []string
	// If must hold, or the old row stays. {old} and {new} stand for the rows. It does not see what Set has changed before: its
	// columns come last there.
	If string
}

// Walk is the part of an index in which some columns have these values; the id comes next in it.
type Walk struct {
	Table, Alias, Index string
	Columns             []string
	Values              []any
}

// Range is a [Walk] within limits: FROM From WHERE Where ORDER BY Order reads ids in descending order, and no server's
// planner can find a way that reads more than the range.
type Range struct {
	From, Order string
	Where       Fragment
}

// Kind is what an error of the server means.
type Kind int

// The kinds of errors.
const (
	KindOther     Kind = iota
	KindRetry          // another transaction was in the way: the same again can succeed
	KindDuplicate      // a row with this key is there already
	KindUnreachable
	KindDenied
	KindNoDatabase
	KindTLS
	KindPrivilege
	KindBusy
	KindReadOnly
	KindFull
	KindTooLarge
	KindSchema // a table or a column is missing
)
