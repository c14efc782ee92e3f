package fault

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// degraded reports whether a service says that its backend is away.
func degraded(p *process) bool {
	_, body, err := get(p.url + "/tasks/instances")
	return err == nil && strings.Contains(body, `"degraded_since"`)
}

// TestSQLiteFileIsTakenAway: the file is moved away under load, and put back.
func TestSQLiteFileIsTakenAway(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not let go of a file that is open")
	}
	path := filepath.Join(t.TempDir(), "tasks.db")
	s := settings{Backend: "sqlite:" + path, Address: freeAddress(t), Ledger: filepath.Join(t.TempDir(), "ledger"), Longest: 10 * time.Millisecond, Lease: time.Second}
	p := spawn(t, s)
	c := load(t, p.url)
	await(t, "some orders", func() bool { return c.count() > 100 })
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	await(t, "a refusal", func() bool { return c.refused.Load() > 50 })
	await(t, "the dashboard to say so", func() bool { return degraded(p) })
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	before := c.count()
	await(t, "orders again", func() bool { return c.count() > before+100 })
	await(t, "the dashboard to be content", func() bool { return !degraded(p) })
	c.end()
	settled(t, p)
	p.stop()
	judge(t, s, c, 0)
}
