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
			slices.SortStableFunc(matches, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
			if i := slices.IndexFunc(matches, executable); i >= 0 {
				return matches[i], nil
			}
		}
	}
	return "", fmt.Errorf("%s was found neither in the PATH nor in %s. Install it, which make servers does, or do without these tests: %s=%s",
		strings.Join(names, " or "), strings.Join(folders, ", "), skipVariable, k.skipName())
}

// findBeside prefers what lies in the folder of server, or of what it is a link to: it is of the same version.
func findBeside(server string, k kind, name string, folders []string) (string, error) {
	target, err := filepath.EvalSymlinks(server)
	if err != nil {
		return "", err
	}
	if path := filepath.Join(filepath.Dir(target), name); executable(path) {
		return path, nil
	}
	return find(k, []string{name}, folders)
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
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
