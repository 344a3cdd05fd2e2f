package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// A copy of this repository builds under its new name, its tests compile, and tests that
// depend on the module's path pass.
func TestRenamedCopy(t *testing.T) {
	root := copyRepository(t)
	old, err := currentPath(root)
	if err != nil {
		t.Fatal(err)
	}
	in := func(dir, name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = filepath.Join(root, dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, testenv.Tail(string(out)))
		}
	}
	in(".", "make", "rename", "MODULE="+renamed)
	in(".", "go", "vet", "./...")
	in("integration/tools/comparison/centrifuge", "go", "vet", "./...")
	in(".", "go", "test", "./domain", "./integration/architecture", "./integration/environments/testenv")
	in(".", "make", "gofmt")
	left, err := plan(root, old, renamed)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range left {
		t.Errorf("%s has the old path", c.file)
	}
}

// copyRepository copies everything that git does not ignore.
func copyRepository(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = testenv.Root()
	names, err := list.Output()
	if err != nil {
		testenv.Skip(t, "git: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(testenv.Root(), name))
		if os.IsNotExist(err) {
			continue // deleted, but not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
