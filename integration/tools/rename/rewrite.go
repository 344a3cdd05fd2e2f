package main

import (
	"bytes"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
)

// rewriteOf is how a file of this name is changed, or nil.
func rewriteOf(name string) func(content []byte, from, to string) ([]byte, error) {
	switch {
	case filepath.Ext(name) == ".go":
		return rewriteImports
	case name == "go.mod":
		return rewriteModule
	case name == "settings.json":
		return rewriteSettings
	}
	return nil
}

// rewriteImports changes nothing but imports: the service's name, which other
// strings hold, stays.
func rewriteImports(source []byte, from, to string) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", source, parser.ImportsOnly)
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	var renamed []byte
	copied := 0
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("import %s: %w", spec.Path.Value, err)
		}
		if below, ok := strings.CutPrefix(imported, from+"/"); ok {
			at := fset.Position(spec.Path.Pos()).Offset
			renamed = append(renamed, source[copied:at]...)
			renamed = strconv.AppendQuote(renamed, to+"/"+below)
			copied = at + len(spec.Path.Value)
		}
	}
	if copied == 0 {
		return source, nil
	}
	return format.Source(append(renamed, source[copied:]...))
}

// rewriteModule changes the module line, also that of a module below the other.
func rewriteModule(mod []byte, from, to string) ([]byte, error) {
	return moduleLine.ReplaceAllFunc(mod, func(line []byte) []byte {
		path := strings.TrimPrefix(string(line), "module ")
		if path == from || strings.HasPrefix(path, from+"/") {
			return []byte("module " + to + path[len(from):])
		}
		return line
	}), nil
}

// rewriteSettings changes what the editor takes for the module's own imports.
func rewriteSettings(settings []byte, from, to string) ([]byte, error) {
	const key = `"formatting.local": `
	return bytes.ReplaceAll(settings, []byte(key+strconv.Quote(from)), []byte(key+strconv.Quote(to))), nil
}
