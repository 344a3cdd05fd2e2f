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

// rewriteOf returns the rewrite for a file of this name, or nil.
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

// rewriteImports changes only imports: the service's name in other strings stays.
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

// rewriteModule changes the module line, including that of a nested module.
func rewriteModule(mod []byte, from, to string) ([]byte, error) {
	return moduleLine.ReplaceAllFunc(mod, func(line []byte) []byte {
		path := strings.TrimPrefix(string(line), "module ")
		if path == from || strings.HasPrefix(path, from+"/") {
			return []byte("module " + to + path[len(from):])
		}
		return line
	}), nil
}

// rewriteSettings changes the editor's prefix for the module's own imports.
func rewriteSettings(settings []byte, from, to string) ([]byte, error) {
	const key = `"formatting.local": `
	return bytes.ReplaceAll(settings, []byte(key+strconv.Quote(from)), []byte(key+strconv.Quote(to))), nil
}
