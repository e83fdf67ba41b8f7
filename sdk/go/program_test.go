package hitl

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// program writes a program of the name into a new directory, which is returned.
func program(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestABareNameIsNeverFoundInTheWorkingDirectory(t *testing.T) {
	planted, installed := program(t, "hitl"), program(t, "hitl")
	t.Chdir(planted)
	if err := os.MkdirAll("bin", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename("hitl", "bin/hitl"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("bin/hitl", "hitl"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", ":", ".", "bin", "./bin", "..", "/nowhere:", ":/nowhere", "bin::."} {
		if found, err := findProgram("hitl", path); !errors.Is(err, errNotInPath) {
			t.Errorf("%q: %s %v", path, found, err)
		}
		found, err := findProgram("hitl", path+string(filepath.ListSeparator)+installed)
		if err != nil || found != filepath.Join(installed, "hitl") {
			t.Errorf("%q: %s %v", path, found, err)
		}
	}
	// What is given as a path is meant as one.
	if found, err := findProgram("./hitl", ""); err != nil || found != filepath.Join(planted, "hitl") {
		t.Error(found, err)
	}
}

func TestAPlantedProgramIsNotRun(t *testing.T) {
	local := shell(t, "touch ran")
	t.Chdir(filepath.Dir(local.binary))
	t.Setenv("PATH", string(filepath.ListSeparator)+".")
	local.binary = "hitl"
	_, err := local.connect(t.Context())
	if err == nil || !strings.Contains(err.Error(), "install hitl, or set HITL_BIN") {
		t.Fatal(err)
	}
	if _, err := os.Stat("ran"); err == nil {
		t.Fatal("it ran")
	}
}
