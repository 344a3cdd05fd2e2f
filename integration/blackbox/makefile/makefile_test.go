// Package makefile tests the Makefile targets that people and CI use.
package makefile

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// checkout is a folder with the Makefile and the files it reads. It runs stand-ins for
// programs, and the system's tools.
type checkout struct{ dir, tools string }

func newCheckout(t *testing.T) checkout {
	t.Helper()
	c := checkout{t.TempDir(), t.TempDir()}
	for _, name := range []string{"Makefile", "go.mod", ".gitignore", "package-lock.json"} {
		source, err := os.ReadFile(filepath.Join(testenv.Root(), name))
		if err != nil {
			t.Fatal(err)
		}
		c.write(t, name, string(source))
	}
	c.write(t, "functions/ping/main.go", "")
	c.write(t, "integration/simulation/main.go", "")
	for _, tool := range []string{"make", "sh", "awk", "sed", "rm", "find", "mkdir", "touch", "cat", "chmod", "tr", "grep", "dirname"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			testenv.Skip(t, "%s is missing", tool)
		}
		if err := os.Symlink(path, filepath.Join(c.tools, tool)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c checkout) write(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// standIn puts a program into the path, a script for sh.
func (c checkout) standIn(t *testing.T, name, script string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.tools, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
}

// make runs make and returns its output on both streams, and whether it succeeded.
func (c checkout) make(t *testing.T, args ...string) (stdout, stderr string, ok bool) {
	t.Helper()
	cmd := exec.Command("make", args...)
	cmd.Dir, cmd.Env = c.dir, []string{"PATH=" + c.tools}
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	return out.String(), errs.String(), err == nil
}

// A variable that a target does not take would have no effect, so it is refused.
func TestUnknownVariables(t *testing.T) {
	const load = "ARGS BROADCASTS CHURN_AWAY CHURN_SHARE CHURN_STAY CLIENTS CONNECT_RATE CONNECT_TIMEOUT CSV DRAIN GRACE " +
		"HEADER HTML JSON OUTSTANDING P99_BOUND PID PROTOCOL RAMP_FACTOR RAMP_STEP RAMP_STEPS RATE RESUME_AWAY RESUME_EVERY " +
		"RESUME_SHARE SCENARIO SENDERS SIZE SLOW_SHARE SLOW_SPEED TOKEN URL"
	c := newCheckout(t)
	for args, want := range map[string]string{
		"load CLIENT=5":            "make load has no variable CLIENT: it takes " + load + ".",
		"load CLEINTS=5":           "make load has no variable CLEINTS: it takes " + load + ".",
		"load clients=5":           "make load has no variable clients: it takes " + load + ".",
		"load CLIENTS=5 P99BOUND=": "make load has no variable P99BOUND: it takes " + load + ".",
		"load XYZZY=1":             "make load has no variable XYZZY: it takes ARGS BROADCASTS ",
		"simulate SEEDZ=5":         "make simulate has no variable SEEDZ: it takes SEED SEEDS.",
		"deploy STAG=prod":         "make deploy has no variable STAG: it takes ARGS STAGE.",
		"logs FUNC=fanOut":         "make logs has no variable FUNC: it takes ARGS FUNCTION STAGE.",
		"fuzz FUZTIME=5s":          "make fuzz has no variable FUZTIME: it takes FUZZTIME.",
		"rename NAME=a.b/c":        "make rename has no variable NAME: it takes MODULE.",
		"run CLIENTS=5":            "make run has no variable CLIENTS: it takes ARGS.",
		"scale SEED=5":             "make scale has no variable SEED: it takes none.",
		"lint test STAGE=prod":     "make lint test has no variable STAGE: it takes none.",
		"ARGS=1":                   "make help has no variable ARGS: it takes none.",
	} {
		stdout, stderr, ok := c.make(t, strings.Fields(args)...)
		if ok || stdout != "" || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: %q, want %q", args, stderr, want)
		}
	}
}

// Known variables are accepted, including those that programs read from the environment,
// and those inherited from a parent make.
func TestKnownVariables(t *testing.T) {
	c := newCheckout(t)
	for _, args := range []string{
		"load CLIENTS=5 HTML=a.html ARGS=-h", "simulate SEEDS=5", "simulate SEED=5", "hours HOURS=5", "hours SEED=5", "deploy STAGE=prod ARGS=-v AWS_PROFILE=me",
		"remove STAGE=prod", "logs STAGE=prod FUNCTION=ping", "fuzz FUZZTIME=5s", "rename MODULE=a.b/c", "soak ARGS=-h", "bench ARGS=-quick",
		"bench-standalone ARGS=-h", "run ARGS=-h SWS_HTTP_ADDR=:3010 GOFLAGS=-p=1", "lint CI=true", "package MAKELEVEL=1 STAGE=prod",
	} {
		if _, stderr, ok := c.make(t, append([]string{"-n"}, strings.Fields(args)...)...); !ok {
			t.Errorf("%s: %s", args, stderr)
		}
	}
}

// Variables on the command line reach the load generator as flags.
func TestVariablesOfLoadAreFlags(t *testing.T) {
	c := newCheckout(t)
	stdout, _, _ := c.make(t, "-n", "load", "CLIENTS=5", "P99_BOUND=1s", "HEADER=a: it's")
	if !strings.Contains(stdout, "exec bin/load ") || !strings.Contains(stdout, `-header='a: it'\''s'`) ||
		!strings.Contains(stdout, "-clients='5'") || !strings.Contains(stdout, "-p99-bound='1s'") {
		t.Error(stdout)
	}
	source, err := os.ReadFile(filepath.Join(testenv.Root(), "integration", "tools", "load", "settings.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`f\.(?:\w+Var|Var)\(&s\.\w+, "([a-z0-9-]+)"`).FindAllStringSubmatch(string(source), -1) {
		variable := strings.ToUpper(strings.ReplaceAll(match[1], "-", "_"))
		if stdout, stderr, _ := c.make(t, "-n", "load", variable+"=1"); !strings.Contains(stdout, "-"+match[1]+"='1'") {
			t.Errorf("make load %s=1: %s%s", variable, stdout, stderr)
		}
	}
}

// target is a line of the help.
type target struct {
	name  string
	needs []string
}

var needed = regexp.MustCompile(`^  make ([a-z-]+) +(-|(?:Go|Node|Java|AWS|Linux)(?:, (?:Go|Node|Java|AWS|Linux))*) +\S`)

func help(t *testing.T, c checkout) (targets []target) {
	t.Helper()
	stdout, stderr, _ := c.make(t)
	for line := range strings.Lines(stdout) {
		if !strings.HasPrefix(line, "  make ") {
			continue
		}
		match := needed.FindStringSubmatch(line)
		if match == nil {
			t.Fatalf("%q does not say what it needs", line)
		}
		targets = append(targets, target{match[1], strings.Split(match[2], ", ")})
	}
	if len(targets) < 15 {
		t.Fatalf("%d targets in the help: %s", len(targets), stderr)
	}
	return targets
}

// If Go is missing or too old, one line says what to do.
func TestMissingTools(t *testing.T) {
	c := newCheckout(t)
	try := func(name, want string) {
		t.Helper()
		stdout, stderr, ok := c.make(t, name)
		lines := slices.Collect(strings.Lines(stderr))
		if ok || stdout != "" || len(lines) != 2 || !strings.HasPrefix(lines[0], want) || !strings.HasPrefix(lines[1], "make: ***") {
			t.Errorf("make %s: %q, %q, want %q", name, stdout, stderr, want)
		}
	}
	// The targets for tests report each missing tool.
	others := slices.DeleteFunc(help(t, c), func(one target) bool {
		return slices.Contains([]string{"test", "unit", "integration", "help", "clean"}, one.name)
	})
	for _, one := range others {
		if slices.Contains(one.needs, "Go") && one.name != "deploy" {
			try(one.name, "Go is missing: install Go 1.26 or newer")
		} else {
			try(one.name, "npm is missing: install Node")
		}
	}
	for _, old := range []string{"go1.19.3", "go1.25.1", "go1.3"} {
		c.standIn(t, "go", "echo "+old+"\n")
		try("run", old+" is too old: install Go 1.26 or newer")
	}
	c.standIn(t, "go", "echo no such toolchain >&2; exit 1\n")
	try("run", "no such toolchain")
}

// make announces that a program is being built, and that the first build takes long.
func TestBuildingIsSaid(t *testing.T) {
	c := newCheckout(t)
	c.standIn(t, "go", `case "$1" in env) echo go1.26.0;; build) mkdir -p bin; cp "$0" bin/standalone; cp "$0" bin/load;; *) echo "go $*";; esac`)
	c.standIn(t, "cp", `cat > "$2" <<'END'
#!/bin/sh
echo "runs with $*"
END
chmod +x "$2"
`)
	const first = "; the first time it downloads modules and takes a minute or two"
	for _, want := range []string{"building bin/standalone" + first + "\n", "building bin/standalone\n"} {
		if stdout, stderr, ok := c.make(t, "run", "ARGS=-stage x"); !ok || stdout != "runs with -stage x\n" || stderr != want {
			t.Errorf("%q, %q, want %q", stdout, stderr, want)
		}
	}
	for _, name := range []string{"load", "bench", "soak", "simulate", "hours", "scale", "build", "package"} {
		if _, stderr, ok := c.make(t, name); !ok || !strings.HasPrefix(stderr, "building ") {
			t.Errorf("make %s begins with %q", name, stderr)
		}
	}
}

// git ignores what targets leave behind, and clean removes it, but no messages.
func TestCleanLeavesNothing(t *testing.T) {
	c := newCheckout(t)
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", c.dir, "-c", "core.excludesFile="}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			testenv.Skip(t, "git: %v: %s", err, out)
		}
		return string(out)
	}
	c.write(t, "data/index", "")
	git("init", "--quiet")
	git("add", ".")
	before := git("status", "--porcelain", "--ignored")
	patterns, err := os.ReadFile(filepath.Join(c.dir, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	for pattern := range strings.Lines(string(patterns)) {
		pattern = strings.TrimSpace(pattern)
		if pattern == "" || strings.HasPrefix(pattern, "#") {
			continue
		}
		left := strings.ReplaceAll(strings.TrimPrefix(pattern, "/"), "*", "left behind")
		if strings.HasSuffix(left, "/") {
			left += "a/b"
		}
		c.write(t, left, "")
		if !strings.HasPrefix(pattern, "/") {
			c.write(t, "adapters/memqueue/"+left, "")
		}
	}
	if during := git("status", "--porcelain", "--ignored"); strings.Count(during, "!!") < 7 {
		t.Fatalf("git ignores too little of it:\n%s", during)
	}
	if _, stderr, ok := c.make(t, "clean"); !ok {
		t.Fatal(stderr)
	}
	if after := git("status", "--porcelain", "--ignored"); after != before {
		t.Errorf("before:\n%s\nafter make clean:\n%s", before, after)
	}
}
