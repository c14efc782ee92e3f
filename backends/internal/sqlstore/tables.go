package sqlstore

import "slices"

// Type is the type of a column.
type Type int

// The types. Whatever is no ID and no Text may be NULL where a record has no value.
const (
	TypeID Type = iota
	TypeText
	TypeInt
	TypeBytes
)

// Column is a column of a table.
type Column struct {
	Name string
	Type Type
}

// Table is a table and its columns, in the order of the rows that are inserted.
type Table struct {
	Name    string
	Columns []Column
}

func columns(t Type, names ...string) []Column {
	list := make([]Column, len(names))
	for i, n := range names {
		list[i] = Column{n, t}
	}
	return list
}

func table(name string, columns ...[]Column) *Table {
	return &Table{Name: name, Columns: slices.Concat(columns...)}
}

// recordColumns are what finished and unfinished records have in common.
func recordColumns() []Column {
	return slices.Concat(
		columns(TypeID, "id"),
		columns(TypeText, "name", "status", "source", "pool"),
		columns(TypeInt, "priority", "flags", "created_at", "run_at", "start_time", "end_time", "attempts", "max_retries", "crashes", "log_count"),
		columns(TypeText, "retry_of", "retried_by", "error"),
		columns(TypeBytes, "task_key", "tags", "search"),
		columns(TypeText, "owner"))
}

// The tables. None is ever changed.
var (
	metaTable    = table("meta", columns(TypeText, "name"), columns(TypeInt, "value"))
	historyTable = table("history", recordColumns())
	detailTable  = table("detail", columns(TypeID, "id"), columns(TypeBytes, "stack", "logs", "args"))
	tagTable     = table("tag", columns(TypeID, "id"), columns(TypeText, "tag_key", "tag_value"))
	totalTable   = table("total", columns(TypeInt, "shard"), columns(TypeText, "status"), columns(TypeInt, "bucket", "tasks", "sum_us"))
	pendingTable = table("pending", recordColumns(),
		columns(TypeBytes, "marks", "stack", "logs", "args"), columns(TypeInt, "format"), columns(TypeText, "session"))
	instanceTable = table("instance", columns(TypeText, "id"), columns(TypeInt, "seen_at", "expires_at"), columns(TypeBytes, "info"))
	keyTable      = table("key", columns(TypeBytes, "name"), columns(TypeID, "task_id"), columns(TypeText, "owner"), columns(TypeInt, "expires_at"))
	slotTable     = table("slot", columns(TypeBytes, "schedule"), columns(TypeInt, "slot"))
	messageTable  = table("message", columns(TypeInt, "number", "posted_at"), columns(TypeBytes, "body"))
	auditTable    = table("audit", columns(TypeID, "id"), columns(TypeInt, "happened_at"), columns(TypeText, "action", "task_id", "actor", "remote"), columns(TypeBytes, "detail"))
	secretTable   = table("secret", columns(TypeBytes, "name", "value"))
	stateTable    = table("state", columns(TypeBytes, "name", "value"))
	seriesTable   = table("series", columns(TypeInt, "resolution", "begins_at"), columns(TypeBytes, "instance", "data"))
)

func tables() []*Table {
	return []*Table{
		metaTable, historyTable, detailTable, tagTable, totalTable, pendingTable, instanceTable, keyTable, slotTable, messageTable, auditTable, secretTable,
		stateTable, seriesTable,
	}
}

// TableNames are the names of all tables, without their prefix.
func TableNames() (names []string) {
	for _, t := range tables() {
		names = append(names, t.Name)
	}
	return names
}
