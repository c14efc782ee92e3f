package redis

import (
	"strconv"

	taskflow "github.com/taskflow-go/taskflow/core"
)

// kind is what a group has in common: for most the beginning of a key.
type kind string

const (
	byStatus kind = "index:status:"
	byName   kind = "index:name:"
	bySource kind = "index:source:"
	byTag    kind = "index:tag:"   // and any value
	byValue  kind = "index:value:" // of a tag
	ownerOf  kind = "owner"        // no key: what a row of that owner begins with
	nameOf   kind = "name"         // no key
)

// group names records that share something.
type group struct {
	kind kind
	key  string // of a tag
	text string
}

// name is the key of the group, without the prefix. Where a tag's key ends must be clear: its length stands in front.
func (g group) name() string {
	switch g.kind {
	case byValue:
		return string(appendFrame([]byte(g.kind), g.key)) + g.text
	case ownerOf:
		return string(appendFrame(nil, g.text))
	}
	return string(g.kind) + g.text
}

// groups says which records of a call are in which group, so that a script adds all of a group with one command.
type groups map[group]*[]byte

// add puts the record of an index (from 0) into a group.
func (g groups) add(key group, i int) {
	members := g[key]
	if members == nil {
		members = new([]byte)
		g[key] = members
	}
	i++ // Lua counts from 1
	*members = append(*members, byte(i>>16), byte(i>>8), byte(i))
}

// What most records are has no index of its own: it would be a second index of all of them, and cost as much in time and memory.
const (
	usualStatus = taskflow.StatusSuccess
	usualSource = taskflow.SourceManual
)

// record puts a record into the groups of its indexes.
func (g groups) record(r *taskflow.Record, i int) {
	g.add(group{byName, "", r.Name}, i)
	if r.Status != usualStatus {
		g.add(group{byStatus, "", string(r.Status)}, i)
	}
	if r.Source != usualSource {
		g.add(group{bySource, "", r.Source}, i)
	}
	for key, value := range r.Tags {
		g.add(group{byTag, "", key}, i)
		if value != "" {
			g.add(group{byValue, key, value}, i)
		}
	}
}

// append appends the number of groups, and for each its name and its members: none stands for all n.
func (g groups) append(args []any, n int) []any {
	args = append(args, len(g))
	for key, members := range g {
		args = append(args, key.name(), packed(*members, n))
	}
	return args
}

func packed(members []byte, n int) []byte {
	if len(members) == 3*n {
		return nil
	}
	return members
}

// bucketField is the field of the totals that counts durations.
func bucketField(bucket int) string { return "bucket:" + strconv.Itoa(bucket) }
