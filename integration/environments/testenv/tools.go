package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Skip skips the test if something it needs is missing, which is fine on a laptop. If the
// environment variable CI is set, nothing may be missing, and it fails.
func Skip(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("would be skipped outside CI: "+format, args...)
	}
	t.Skipf(format, args...)
}

// NodeBin returns the path of a program that `npm ci` installs, or skips.
func NodeBin(t testing.TB, name string) string {
	t.Helper()
	Node(t)
	bin := filepath.Join(NodeModules(), ".bin", name)
	if _, err := os.Stat(bin); err != nil {
		Skip(t, "%s is not installed; run npm ci", name)
	}
	return bin
}

// NodeModules returns the path of the folder into which npm installs.
func NodeModules() string { return filepath.Join(Root(), "node_modules") }

// Node returns the path of the node program, or skips.
func Node(t testing.TB) string {
	t.Helper()
	return program(t, "node", "Node.js 22")
}

// Java returns the path of the java program, or skips.
func Java(t testing.TB) string {
	t.Helper()
	return program(t, "java", "a Java 17 runtime or later")
}

// Python returns the path of a python3 that has the module, or skips. Debian's packages
// are only for Debian's own, which may not be the first on the PATH.
func Python(t testing.TB, module, what string) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import "+module).Run() == nil {
			return python
		}
	}
	Skip(t, "no python3 has the module %s; install %s", module, what)
	return ""
}

// Arm64 returns the path of the program that runs Linux programs for arm64, "" on a
// machine that runs them natively, or skips.
func Arm64(t testing.TB) string {
	t.Helper()
	if runtime.GOOS == "linux" && runtime.GOARCH == "arm64" {
		return ""
	}
	return program(t, "qemu-aarch64-static", "Debian's qemu-user-static")
}

func program(t testing.TB, name, what string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Skip(t, "%s is not on the PATH; install %s", name, what)
	}
	return path
}
