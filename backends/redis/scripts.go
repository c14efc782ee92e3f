package redis

import (
	"embed"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var luaFiles embed.FS

// The scripts; each file says what it does and what it is given. A server that does not know one yet is sent it.
var (
	scriptOpen         = script("open")
	scriptSave         = script("unlink", "index", "save")
	scriptDelete       = script("index", "delete")
	scriptPut          = script("unlink", "put")
	scriptSnapshot     = script("unlink", "snapshot")
	scriptLoadPending  = script("load_pending")
	scriptClearPending = script("clear_pending")
	scriptClaimable    = script("claimable")
	scriptClaim        = script("claim")
	scriptJoin         = script("join")
	scriptLeave        = script("release", "leave")
	scriptRelease      = script("release", "release_step")
	scriptExpire       = script("release", "expire")
	scriptInstances    = script("instances")
	scriptReserve      = script("reserve")
	scriptReleaseKey   = script("release_key")
	scriptSlot         = script("slot")
	scriptPost         = script("post")
	scriptReceive      = script("receive")
	scriptWalk         = script("walk")
	scriptSizes        = script("sizes")
	scriptGet          = script("get")
	scriptTotals       = script("totals")
	scriptAppendAudit  = script("audit_append")
	scriptAudit        = script("audit")
	scriptSecret       = script("secret")
	scriptPutState     = script("state_put")
	scriptState        = script("state")
	scriptStates       = script("states")
	scriptDeleteState  = script("state_delete")
	scriptPutSeries    = script("series_put")
	scriptSeries       = script("series")
	scriptPruneSeries  = script("series_prune")
)

// script makes one of some files, and of what all share.
func script(names ...string) *goredis.Script {
	var text strings.Builder
	for _, name := range append([]string{"common"}, names...) {
		part, err := luaFiles.ReadFile("lua/" + name + ".lua")
		if err != nil {
			panic(err) // it is part of the program
		}
		text.Write(part)
	}
	return goredis.NewScript(text.String())
}
