package testserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// removeSegment removes the small segment of System V memory that a PostgreSQL server leaves behind when it is killed: a system
// has a limited number of them. It is named by a file that such a server leaves too. longAgo: the server was not ours.
func removeSegment(folder string, longAgo bool) error {
	text, err := os.ReadFile(filepath.Join(folder, "data", "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// The first line is the number of the process, the seventh the key and the number of the segment.
	lines := strings.Split(string(text), "\n")
	if len(lines) < 7 {
		return nil // it was killed before it had one
	}
	segment := strings.Fields(lines[6])
	if len(segment) != 2 {
		return nil
	}
	if ok, err := abandoned(segment[1], lines[0], longAgo); err != nil || !ok {
		return err
	}
	if out, err := exec.CommandContext(context.Background(), "ipcrm", "-m", segment[1]).CombinedOutput(); err != nil { //nolint:gosec // G204: a number
		return fmt.Errorf("ipcrm -m %s: %w; it said:\n%s", segment[1], err, out)
	}
	return nil
}
