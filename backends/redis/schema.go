package redis

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// schemaVersion is the form of the keys and rows of this package; the key "version" says which a prefix has.
const schemaVersion = 1

// The oldest server that has every command of the scripts: XADD with MINID, and ranges that leave their end out.
const (
	oldestMajor = 6
	oldestMinor = 2
)

// check refuses a server that is too old, and a prefix that is not ours or of a newer version, and sees that it can be written to.
func (b *Backend) check(ctx context.Context, c *connection) error {
	// first, so that a wrong password or a wrong database is what the error is about
	if err := b.checkServer(ctx, c); err != nil {
		return err
	}
	existing := 0
	if b.cfg.exists {
		existing = 1
	}
	reply, err := c.run(ctx, scriptOpen, schemaVersion, existing)
	if err != nil {
		return err
	}
	answer := list(reply)
	if len(answer) != 2 {
		return fmt.Errorf("%w: the server answered %v to the check of the prefix", ErrForeign, reply)
	}
	switch detail := text(answer[1]); text(answer[0]) {
	case "foreign":
		return fmt.Errorf("%w (%s)", ErrForeign, detail)
	case "none":
		return ErrNoData
	case "newer":
		return fmt.Errorf("%w (%s, this program knows up to %d)", ErrNewerSchema, detail, schemaVersion)
	}
	return nil
}

// checkServer looks at the server's version and settings. A user who may not ask for them is no problem.
func (b *Backend) checkServer(ctx context.Context, c *connection) error {
	report, err := c.do(ctx, func() (any, error) { return c.info(ctx) })
	if goredis.IsPermissionError(err) {
		return nil
	}
	if err != nil {
		return err
	}
	info := map[string]string{}
	for line := range strings.Lines(text(report)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[key] = value
		}
	}
	if v := info["redis_version"]; older(v, oldestMajor, oldestMinor) {
		return fmt.Errorf("%w (it is %s)", ErrOldServer, v)
	}
	if b.cfg.exists {
		return nil // who only looks has nothing to lose
	}
	where := slog.String("server", b.where())
	if info["aof_enabled"] == "0" {
		b.cfg.log.Warn("redis: the server keeps no append-only file: what it has accepted since its last snapshot is lost when it dies; set appendonly yes", where)
	}
	if policy := info["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		b.cfg.log.Warn("redis: the server may delete keys when its memory is full: set maxmemory-policy noeviction", where, slog.String("policy", policy))
	}
	return nil
}

// info asks the server that has our keys.
func (c *connection) info(ctx context.Context) (string, error) {
	if cluster, ok := c.client.(*goredis.ClusterClient); ok {
		node, err := cluster.MasterForKey(ctx, c.base)
		if err != nil {
			return "", err
		}
		return node.Info(ctx).Result()
	}
	return c.client.Info(ctx).Result()
}

// older reports whether a version is known, and older than major.minor.
func older(version string, major, minor int) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	a, errA := strconv.Atoi(parts[0])
	b, errB := strconv.Atoi(parts[1])
	return errA == nil && errB == nil && (a < major || a == major && b < minor)
}
