package blackbox

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"serverless-websocket/integration/lambdalocal"
	"serverless-websocket/integration/testenv"
)

// deployed returns the executables of the functions, by name, out of zip files
// made as those that are deployed, but for this machine's architecture.
func deployed(t testing.TB) map[string]string {
	t.Helper()
	testenv.NodeBin(t, "sls")
	if runtime.GOOS != "linux" {
		testenv.Skip(t, "the functions are built for Linux")
	}
	programs, err := packageFunctions()
	if err != nil {
		t.Fatal(err)
	}
	return programs
}

var packageFunctions = sync.OnceValues(func() (map[string]string, error) {
	functions, err := readConfig()
	if err != nil {
		return nil, err
	}
	binaries := make(map[string]string)
	for name := range functions {
		binaries[name] = filepath.Join("build", runtime.GOARCH, name, "bootstrap")
	}
	if err := atRoot("make", slices.Collect(maps.Values(binaries))...); err != nil {
		return nil, err
	}
	programs := make(map[string]string)
	for name, binary := range binaries {
		dir := filepath.Join(buildDir(), name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
		zip := dir + ".zip"
		if err := atRoot("go", "run", "github.com/aws/aws-lambda-go/cmd/build-lambda-zip", "-o", zip, binary); err != nil {
			return nil, err
		}
		var err error
		if programs[name], err = lambdalocal.Unpack(zip, dir); err != nil {
			return nil, err
		}
	}
	return programs, nil
})

// atRoot runs a command in the module's root folder.
func atRoot(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = testenv.Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", name, args, err, out)
	}
	return nil
}
