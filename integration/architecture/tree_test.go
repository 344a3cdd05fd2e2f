package architecture

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// module is the path of the module, which only go.mod spells out.
var module = strings.TrimSuffix(reflect.TypeFor[tree]().PkgPath(), "/integration/architecture")

// tree is the source of the repository.
type tree struct {
	folders []string // at the top level, without those of tools (".git")
	files   []*file
}

// file is one Go file.
type file struct {
	dir   string // relative to the root, "." for the root itself
	name  string
	lines int
	ast   *ast.File
	fset  *token.FileSet
}

func (f *file) path() string  { return path.Join(f.dir, f.name) }
func (f *file) isTest() bool  { return strings.HasSuffix(f.name, "_test.go") }
func (f *file) command() bool { return f.ast.Name.Name == "main" }

func (f *file) imports() []string {
	var paths []string
	for _, spec := range f.ast.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic(err) // the parser has accepted the literal
		}
		paths = append(paths, p)
	}
	return paths
}

// packages groups the files, without tests, by folder.
func (t tree) packages() map[string][]*file {
	packages := map[string][]*file{}
	for _, f := range t.files {
		if !f.isTest() {
			packages[f.dir] = append(packages[f.dir], f)
		}
	}
	return packages
}

func load(t *testing.T, root fs.FS) tree {
	t.Helper()
	var loaded tree
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case entry.IsDir() && skipped(name):
			return fs.SkipDir
		case entry.IsDir():
			if path.Dir(name) == "." {
				loaded.folders = append(loaded.folders, name)
			}
			return nil
		case path.Ext(name) != ".go":
			return nil
		}
		f, err := parse(root, name)
		if err != nil {
			return err
		}
		loaded.files = append(loaded.files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// skipped reports folders that the go command skips too, and those that git ignores.
func skipped(dir string) bool {
	base := path.Base(dir)
	switch {
	case strings.HasPrefix(base, "."), strings.HasPrefix(base, "_"), base == "testdata":
		return true
	case dir == "bin", dir == "build", dir == "node_modules":
		return true
	}
	return false
}

func parse(root fs.FS, name string) (*file, error) {
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	return &file{
		dir:   path.Dir(name),
		name:  path.Base(name),
		lines: bytes.Count(source, []byte("\n")),
		ast:   parsed,
		fset:  fset,
	}, nil
}
