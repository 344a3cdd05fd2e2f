package recipe

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// checkout is a copy of the repository, and which of its files have changed.
type checkout struct {
	t       *testing.T
	root    string
	changed map[string]bool
}

func newCheckout(t *testing.T) *checkout {
	c := &checkout{t: t, root: testenv.CopyRepository(t), changed: map[string]bool{}}
	if err := os.Symlink(testenv.NodeModules(), filepath.Join(c.root, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *checkout) read(name string) string {
	c.t.Helper()
	content, err := os.ReadFile(filepath.Join(c.root, name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(content)
}

func (c *checkout) write(name, content string) {
	c.t.Helper()
	c.changed[name] = true
	path := filepath.Join(c.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// add adds the files of a folder of testdata.
func (c *checkout) add(folder string) {
	c.t.Helper()
	files := os.DirFS(filepath.Join("testdata", folder))
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err == nil {
			c.write(name, string(content))
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// insert inserts text before the only line that contains the anchor.
func (c *checkout) insert(name, anchor, text string) {
	c.t.Helper()
	before := c.read(name)
	if n := strings.Count(before, anchor); n != 1 {
		c.t.Fatalf("%s has %q %d times: where does the recipe's addition go?", name, anchor, n)
	}
	line := strings.LastIndex(before[:strings.Index(before, anchor)], "\n") + 1
	c.write(name, before[:line]+text+before[line:])
}

// run runs a command and returns its output and whether it succeeded.
func (c *checkout) run(name string, args ...string) (output string, ok bool) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), name, args...)
	cmd.Dir = c.root
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func (c *checkout) succeeds(name string, args ...string) {
	c.t.Helper()
	if out, ok := c.run(name, args...); !ok {
		c.t.Fatalf("%s %v:\n%s", name, args, testenv.Tail(out))
	}
}

// fails wants a command to fail with an output that has all of the parts.
func (c *checkout) fails(parts []string, name string, args ...string) {
	c.t.Helper()
	out, ok := c.run(name, args...)
	if ok {
		c.t.Errorf("%s %v succeeds", name, args)
	}
	for _, part := range parts {
		if !strings.Contains(out, part) {
			c.t.Errorf("%s %v does not say %q:\n%s", name, args, part, testenv.Tail(out))
		}
	}
}

func (c *checkout) changes() []string { return slices.Sorted(maps.Keys(c.changed)) }
