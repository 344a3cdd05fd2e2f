// Package testenv is shared by black-box tests and measuring programs: it finds the
// module, tools from npm and the machine, and free ports, and runs child processes that
// end with their parent.
package testenv

import (
	"os"
	"path/filepath"
	"sync"
)

// Root returns the absolute path of the module's root folder, found from the working
// directory upwards. It panics if there is none: no test can continue.
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
