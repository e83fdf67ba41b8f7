package hitl

import (
	"errors"
	"os/exec"
	"path/filepath"
)

var errNotInPath = errors.New("no directory of PATH has it")

// findProgram returns the absolute path of a program. A bare name is looked for in path, which is what
// PATH holds, and there in absolute directories alone: an empty or relative one means wherever this
// program happens to run, and whoever may write there must not choose what it starts.
func findProgram(name, path string) (string, error) {
	if filepath.Base(name) != name {
		found, err := exec.LookPath(name)
		if err != nil {
			return "", err
		}
		return filepath.Abs(found)
	}
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", errNotInPath
}
