package architecture

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
)

// wrongPackageComments wants one comment for each package that has more than
// test files: "Package name …" or, for a command, "Command folder …".
func wrongPackageComments(t tree) []string {
	var wrong []string
	for dir, files := range t.packages() {
		begin := "Package " + files[0].ast.Name.Name + " "
		if files[0].command() {
			begin = "Command " + path.Base(dir) + " "
		}
		var in []string
		for _, f := range files {
			if f.ast.Doc == nil {
				continue
			}
			in = append(in, f.name)
			if !strings.HasPrefix(f.ast.Doc.Text(), begin) {
				wrong = append(wrong, fmt.Sprintf("%s: the package comment does not begin with %q", f.path(), begin))
			}
		}
		if len(in) != 1 {
			wrong = append(wrong, fmt.Sprintf("%s: exactly one file must have the package comment; %d do: %v", dir, len(in), in))
		}
	}
	return wrong
}

// undocumented finds exported declarations without a comment. Commands export
// nothing.
func undocumented(t tree) []string {
	var wrong []string
	for _, f := range t.files {
		if f.isTest() || f.command() {
			continue
		}
		for _, decl := range f.ast.Decls {
			for _, name := range undocumentedIn(decl) {
				wrong = append(wrong, fmt.Sprintf("%s: %s is exported but has no comment", f.path(), name))
			}
		}
	}
	return wrong
}

func undocumentedIn(decl ast.Decl) []string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && exported(d) && !wellKnown(d) {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		if d.Doc != nil && d.Tok != token.TYPE {
			return nil // it stands for the group
		}
		return undocumentedSpecs(d)
	}
	return nil
}

func undocumentedSpecs(d *ast.GenDecl) []string {
	var names []string
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc == nil && d.Doc == nil {
				names = append(names, s.Name.Name)
			}
		case *ast.ValueSpec:
			if s.Doc != nil || s.Comment != nil {
				continue
			}
			for _, name := range s.Names {
				if name.IsExported() {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// exported reports whether other packages can use the function: a method of an unexported
// type is not part of the package's API.
func exported(f *ast.FuncDecl) bool {
	return f.Name.IsExported() && (f.Recv == nil || receiver(f).IsExported())
}

// receiver is the first identifier of "*T[E]".
func receiver(f *ast.FuncDecl) *ast.Ident {
	var first *ast.Ident
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if name, ok := n.(*ast.Ident); ok && first == nil {
			first = name
		}
		return first == nil
	})
	return first
}

// wellKnown reports whether f is a method whose name says everything.
func wellKnown(f *ast.FuncDecl) bool {
	return f.Recv != nil && slices.Contains([]string{"Error", "Unwrap", "String", "ServeHTTP"}, f.Name.Name)
}
