// Package testenv is what black-box tests and programs that measure share:
// finding the module, the tools that npm and the machine provide, free ports, and
// child processes that end with the one that started them.
package testenv

import (
	"os"
	"path/filepath"
	"sync"
)

// Root returns the absolute path of the module's root folder, found from the
// working directory upwards. It panics when there is none: no test can go on.
func Root() string { return root() }

var root = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			panic("testenv: no go.mod in the working directory or above it")
		}
		dir = parent
	}
})
