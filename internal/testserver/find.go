package testserver

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// find returns the path of the first of names that is in the PATH, or in one of the folders, which are glob patterns. Where
// a pattern has several matches the highest version comes first. scripts/servers.sh looks in the same places.
func find(k kind, names, folders []string) (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path)
		}
		for _, folder := range folders {
			matches, err := filepath.Glob(filepath.Join(folder, name))
			if err != nil {
				return "", fmt.Errorf("look for %s: %w", name, err)
			}
			slices.SortFunc(matches, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
			for _, path := range matches {
				if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
					return path, nil
				}
			}
		}
	}
	return "", fmt.Errorf("%s was not found in the PATH or in %s. Install it (make servers does), or do without these tests: %s=%s",
		strings.Join(names, " or "), strings.Join(folders, ", "), skipVariable, k.skipName())
}

var digits = regexp.MustCompile(`\d+`)

// version returns the first number in a path, as 15 in /usr/lib/postgresql/15/bin.
func version(path string) int {
	n, err := strconv.Atoi(digits.FindString(path))
	if err != nil {
		return 0
	}
	return n
}
