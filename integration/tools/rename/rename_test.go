package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

const renamed = "example.com/some.one/else-where"

// write makes a module of the files in a new folder.
func write(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, content := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func read(t *testing.T, root, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Imports change and stay sorted; other strings, and modules with a longer name, do not
// change.
func TestRename(t *testing.T) {
	before := map[string]string{
		"go.mod":                "module old\n\nrequire older v1.0.0\n",
		"nested/deep/go.mod":    "// Why.\nmodule old/nested/deep\n",
		"other/go.mod":          "module older\n",
		".vscode/settings.json": `{"formatting.local": "old", "name": "old"}`,
		"a/a.go":                "package a\n\nimport (\n\t\"fmt\"\n\n\tb \"old/b\" // why\n\t\"old/c\"\n\t\"older/d\"\n)\n\nvar s = \"old/b\" + fmt.Sprint(b.B, c.C)\n",
		"node_modules/a.go":     "package a\n\nimport \"old/b\"\n",
	}
	root := write(t, before)
	for range 2 { // the second time, there is nothing to do
		if err := run(root, renamed); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"go.mod":                "module " + renamed + "\n\nrequire older v1.0.0\n",
			"nested/deep/go.mod":    "// Why.\nmodule " + renamed + "/nested/deep\n",
			"other/go.mod":          "module older\n",
			".vscode/settings.json": `{"formatting.local": "` + renamed + `", "name": "old"}`,
			"a/a.go": "package a\n\nimport (\n\t\"fmt\"\n\n\tb \"" + renamed + "/b\" // why\n\t\"" + renamed + "/c\"\n\t\"older/d\"\n)\n\n" +
				"var s = \"old/b\" + fmt.Sprint(b.B, c.C)\n",
			"node_modules/a.go": before["node_modules/a.go"],
		} {
			if got := read(t, root, name); got != want {
				t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
			}
		}
	}
}

// A path that the go command could not fetch is refused.
func TestMalformedPaths(t *testing.T) {
	root := write(t, map[string]string{"go.mod": "module old\n"})
	for _, module := range []string{"", "name", "name/a", "a.b", "a.b/", "a.b/c d", "https://a.b/c", "a.b//c", "a.b/..", "a.b/c.", `a.b/"`} {
		if err := run(root, module); err == nil || !strings.Contains(err.Error(), "want a path such as github.com/") {
			t.Errorf("%q: %v", module, err)
		}
	}
	if got := read(t, root, "go.mod"); got != "module old\n" {
		t.Errorf("go.mod is %q", got)
	}
}

// A file that cannot be parsed leaves all files unchanged.
func TestAllOrNothing(t *testing.T) {
	root := write(t, map[string]string{"go.mod": "module old\n", "a.go": "package a\n\nimport \"old/b\"\n", "z.go": "no Go"})
	if err := run(root, renamed); err == nil || !strings.Contains(err.Error(), "z.go: parse") {
		t.Error(err)
	}
	if mod, source := read(t, root, "go.mod"), read(t, root, "a.go"); strings.Contains(mod+source, renamed) {
		t.Errorf("%s%s", mod, source)
	}
}

func TestUncommittedChangesAreKept(t *testing.T) {
	root := write(t, map[string]string{"go.mod": "module old\n"})
	git := func(args ...string) {
		t.Helper()
		args = append([]string{"-C", root, "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "core.hooksPath="}, args...)
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			testenv.Skip(t, "git: %v: %s", err, out)
		}
	}
	git("init", "--quiet")
	git("add", ".")
	git("commit", "--quiet", "--message", "Begin")
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module old\n\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(root, renamed); err == nil || !strings.Contains(err.Error(), "uncommitted changes") {
		t.Error(err)
	}
	git("commit", "--quiet", "--all", "--message", "Change")
	if err := run(root, renamed); err != nil {
		t.Error(err)
	}
}

// The editor groups imports of this module separately, whatever its path.
func TestEditorKnowsTheModule(t *testing.T) {
	module, err := currentPath(testenv.Root())
	if err != nil {
		t.Fatal(err)
	}
	if settings := read(t, testenv.Root(), ".vscode/settings.json"); !strings.Contains(settings, `"formatting.local": "`+module+`"`) {
		t.Errorf("formatting.local is not %s: %s", module, settings)
	}
}
