package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// CopyService copies what a deployment needs into a folder, so that runs side by
// side do not write to the same build folder. The copy takes what npm has
// installed here, and never installs anything itself.
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
	// Older than what is installed, for make.
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

// CleanEnv returns an environment with no credentials, no proxy and an empty
// home folder, which it makes in the folder given. Go keeps its caches, which the
// home folder would otherwise decide, and fetches nothing.
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
