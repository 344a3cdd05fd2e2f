package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// A copy of this repository builds under its new name, its tests compile, and tests that
// depend on the module's path pass.
func TestRenamedCopy(t *testing.T) {
	root := testenv.CopyRepository(t)
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
