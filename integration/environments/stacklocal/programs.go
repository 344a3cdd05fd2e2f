package stacklocal

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// built are the programs built in this process, by name.
var built = struct {
	sync.Mutex
	programs map[string]string
}{programs: make(map[string]string)}

// programs builds functions for this machine the way the Makefile builds those that are
// deployed, once per process, and returns their paths by name.
func programs(t testing.TB, names []string) map[string]string {
	t.Helper()
	if runtime.GOOS != "linux" {
		testenv.Skip(t, "the functions are built for Linux")
	}
	built.Lock()
	defer built.Unlock()
	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return built.programs[name] != "" })
	if len(missing) > 0 {
		if err := build(missing); err != nil {
			t.Fatal(err)
		}
	}
	return maps.Clone(built.programs)
}

func build(names []string) error {
	cmd := exec.Command("make")
	cmd.Dir = testenv.Root()
	for _, name := range names {
		cmd.Args = append(cmd.Args, filepath.Join("build", runtime.GOARCH, name, "bootstrap"))
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
	}
	for i, name := range names {
		built.programs[name] = filepath.Join(cmd.Dir, cmd.Args[i+1])
	}
	return nil
}
