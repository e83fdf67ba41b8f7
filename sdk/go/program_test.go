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

func TestAPlantedProgramIsNotStarted(t *testing.T) {
	launcher := launch(t, "echo planted >ran")
	t.Chdir(filepath.Dir(launcher.binary))
	t.Setenv("PATH", string(filepath.ListSeparator)+".")
	launcher.binary = "hitl"
	_, err := launcher.connect(t.Context())
	if err == nil || !strings.Contains(err.Error(), "install hitl, or set HITL_BIN") {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(launcher.dataDir, "ran")); err == nil {
		t.Fatal("it ran")
	}
}

func TestNoDataIsKeptInTheWorkingDirectoryByAccident(t *testing.T) {
	t.Setenv("HOME", "relative")
	for _, home := range []string{"", ".", "users/ada"} {
		variables := map[string]string{"HOME": home, "XDG_DATA_HOME": home}
		set, err := resolve(Config{}, variables)
		if err != nil {
			t.Fatal(err)
		}
		if dir := set.launcher.dataDir; dir != "" {
			t.Error(home, dir)
		}
	}
}
