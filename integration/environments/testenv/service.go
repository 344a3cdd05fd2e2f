package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// CopyService copies what a deployment needs into a folder, so that parallel runs do not
// write to the same build folder. The copy uses the npm packages installed here, and
// never installs anything itself.
func CopyService(t testing.TB, to string) {
	t.Helper()
	for _, dir := range []string{"domain", "ports", "adapters", "functions"} {
		if err := os.CopyFS(filepath.Join(to, dir), os.DirFS(filepath.Join(Root(), dir))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"go.mod", "go.sum", "Makefile", "package.json", "package-lock.json", "serverless.yml", "serverless.build.js",
	} {
		copyFile(t, name, to)
	}
	if err := os.Symlink(NodeModules(), filepath.Join(to, "node_modules")); err != nil {
		t.Fatal(err)
	}
	// Older than the installed packages, for make.
	if err := os.Chtimes(filepath.Join(to, "package-lock.json"), time.Time{}, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t testing.TB, name, to string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(Root(), name))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, name), content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// CleanEnv returns an environment without credentials or proxy and with an empty home
// folder, which it creates in the given folder. Go keeps its caches, whose location would
// otherwise depend on the home folder, and fetches nothing.
func CleanEnv(t testing.TB, dir string) []string {
	t.Helper()
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + os.TempDir(), "GOPROXY=off", "GOTOOLCHAIN=local",
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, name+"="+strings.TrimSpace(string(value)))
	}
	return env
}
