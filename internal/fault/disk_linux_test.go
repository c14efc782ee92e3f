package fault

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestFullDisk: the disk below the SQLite file fills up under load, and gets room again.
func TestFullDisk(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("a file system cannot be mounted here, which takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Error(err)
		}
	})
	s := settings{
		Backend: "sqlite:" + filepath.Join(folder, "tasks.db"), Address: freeAddress(t), Ledger: filepath.Join(t.TempDir(), "ledger"),
		Longest: 10 * time.Millisecond, Lease: time.Second,
	}
	p := spawn(t, s)
	t.Cleanup(p.kill) // before the file system can be unmounted
	c := load(t, p.url)
	await(t, "some orders", func() bool { return c.count() > 100 })
	ballast := filepath.Join(folder, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	for block := bytes.Repeat([]byte{1}, 64<<10); err == nil; {
		_, err = f.Write(block)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "a refusal", func() bool { return c.refused.Load() > 20 })
	await(t, "the dashboard to say so", func() bool { return degraded(p) })
	if err := os.Remove(ballast); err != nil {
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
