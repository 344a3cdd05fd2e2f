package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// change is a file and its new content.
type change struct {
	file    string
	content []byte
}

var moduleLine = regexp.MustCompile(`(?m)^module (\S+)$`)

// currentPath reads the module's path from go.mod.
func currentPath(root string) (string, error) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", fmt.Errorf("read: %w", err)
	}
	match := moduleLine.FindSubmatch(mod)
	if match == nil {
		return "", errors.New("go.mod has no module line")
	}
	return string(match[1]), nil
}

// plan returns the changes and writes nothing: a file that cannot be parsed must not
// leave the module with two paths.
func plan(root, from, to string) (changes []change, err error) {
	err = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return skip(root, file, err)
		}
		rewrite := rewriteOf(entry.Name())
		if rewrite == nil || !entry.Type().IsRegular() {
			return nil
		}
		before, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		after, err := rewrite(before, from, to)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if !bytes.Equal(before, after) {
			changes = append(changes, change{file, after})
		}
		return nil
	})
	return changes, err
}

// skip leaves out git's own files, build output and npm packages.
func skip(root, dir string, err error) error {
	if err == nil && slices.Contains([]string{".git", "bin", "build", "node_modules"}, filepath.Base(dir)) && dir != root {
		return fs.SkipDir
	}
	return err
}
