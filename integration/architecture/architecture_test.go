// Package architecture enforces the rules of the source tree: which layer may import
// what, where packages live, how they are commented. It reads the sources itself, so that
// go test, which tracks the files a test reads, does not reuse a stale result.
package architecture

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

var rules = map[string]func(tree) []string{
	"imports":          wrongImports,
	"import groups":    mixedGroups,
	"package comments": wrongPackageComments,
	"doc comments":     undocumented,
	"folders":          unknownFolders,
	"file length":      longFiles,
}

func TestRepository(t *testing.T) {
	repository := load(t, os.DirFS("../.."))
	if len(repository.files) == 0 {
		t.Fatal("found no Go files")
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			for _, wrong := range rule(repository) {
				t.Error(wrong)
			}
		})
	}
}

// TestRules gives each rule a small tree. The want is part of the only complaint; an
// empty one means that the tree is good.
func TestRules(t *testing.T) {
	for _, c := range ruleCases() {
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			files := fstest.MapFS{}
			for name, source := range c.files {
				files[name] = &fstest.MapFile{Data: []byte(source)}
			}
			got := rules[c.rule](load(t, files))
			switch {
			case c.want == "" && len(got) > 0:
				t.Errorf("complaints about a good tree: %q", got)
			case c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)):
				t.Errorf("got %q, want one complaint with %q", got, c.want)
			}
		})
	}
}
