package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"serverless-websocket/integration/environments/testenv"
)

const patience = 2 * time.Minute // builds included

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// module writes a module of these files and returns its folder.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["go.mod"] = "module sample\n\ngo 1.26\n"
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tests returns a test file of package p.
func tests(functions string) string {
	return "package p\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\t\"testing\"\n\t\"time\"\n)\n\n" +
		"var _, _, _ = fmt.Sprint, os.Exit, time.Now\n\n" + functions
}

// ran runs all tests of the module and returns the exit code and the output.
func ran(t *testing.T, dir string, args ...string) (code int, shown, full string) {
	t.Helper()
	var out, all bytes.Buffer
	code = run(t.Context(), dir, args, newReport(&out, &all))
	return code, out.String(), all.String()
}

// times are the parts that differ from run to run.
var times = regexp.MustCompile(`\(?\b\d+\.\d+s\)?|\(cached\)`)

func wantShown(t *testing.T, got, want string) {
	t.Helper()
	if got = times.ReplaceAllString(got, "TIME"); got != want {
		t.Errorf("shown:\n%s\nwant:\n%s", got, want)
	}
}

func TestWhatIsShown(t *testing.T) {
	t.Setenv("CI", "")
	dir := module(t, map[string]string{
		"a/a_test.go": tests(`
func TestOne(t *testing.T) { t.Log("nobody asks"); fmt.Println("nor for this") }
func TestTwo(t *testing.T) { t.Run("sub", func(t *testing.T) {}) }
`),
		"b/b_test.go": tests(`
func TestFails(t *testing.T) {
	t.Run("not", func(t *testing.T) { t.Log("nobody asks") })
	t.Run("does", func(t *testing.T) { t.Error("the reason") })
}
func TestPasses(t *testing.T) { t.Log("nobody asks") }
`),
		"c/c_test.go": tests(`
func TestJava(t *testing.T)  { t.Skipf("no %s", "Java") }
func TestAgain(t *testing.T) { t.Run("sub", func(t *testing.T) { t.Skip("no Java") }) }
func TestNode(t *testing.T)  { t.Log("more"); t.Skip("no Node") }
`),
		"d/d.go": "package d\n",
	})
	code, shown, full := ran(t, dir, "-p=1", "./a", "./b", "--", "./c", "--", "./d")
	if code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	wantShown(t, shown, `ok  	sample/a	TIME
--- FAIL: TestFails TIME
--- FAIL: TestFails/does TIME
    b_test.go:15: the reason
FAIL
FAIL	sample/b	TIME
FAIL
ok  	sample/c	TIME
?   	sample/d	[no test files]
failed:
    sample/b TestFails/does
    sample/b TestFails
skipped:
    2 in sample/c: no Java
    1 in sample/c: no Node
6 passed, 2 failed, 3 skipped
`)
	if !strings.Contains(full, "nor for this") {
		t.Errorf("the full output is\n%s", full)
	}
}

func TestExitCodes(t *testing.T) {
	dir := module(t, map[string]string{
		"passes/p_test.go": tests("func TestA(t *testing.T) {}\n"),
		"skips/p_test.go":  tests(`func TestA(t *testing.T) { t.Skip("no Java") }` + "\n"),
		"broken/p_test.go": tests("func TestA(t *testing.T) { what }\n"),
		"ends/p_test.go":   tests("func TestA(t *testing.T) { os.Exit(3) }\n"),
		"panics/p_test.go": tests(`func TestA(t *testing.T) { panic("the reason") }` + "\n"),
	})
	for _, row := range []struct {
		ci, args string
		code     int
		shows    []string
	}{
		{"", "./passes", 0, []string{"1 passed, 0 failed, 0 skipped\n"}},
		{"", "./skips", 0, []string{"1 in sample/skips: no Java\n", "0 passed, 0 failed, 1 skipped\n"}},
		{"true", "./passes", 0, []string{"1 passed, 0 failed, 0 skipped\n"}},
		{"true", "./skips", exitFailed, []string{"1 in sample/skips: no Java\n", "with CI set, a skipped test is a failure\n"}},
		{"", "./broken", exitFailed, []string{"undefined: what\n", "FAIL\tsample/broken [build failed]\n", "0 passed, 1 failed, 0 skipped\n"}},
		{"", "./ends", exitFailed, []string{"FAIL\tsample/ends\t", "0 passed, 1 failed, 0 skipped\n"}},
		{"", "./panics", exitFailed, []string{"--- FAIL: TestA ", "panic: the reason", "0 passed, 1 failed, 0 skipped\n"}},
		{"", "./missing", exitFailed, []string{"missing", "0 passed, "}},
		{"", "./broken -- ./passes", exitFailed, []string{"ok  \tsample/passes", "1 passed, 1 failed, 0 skipped\n"}},
		{"", "-run ( ./passes", exitFailed, []string{"missing closing )", "FAIL\n"}},
	} {
		t.Run(row.ci+row.args, func(t *testing.T) {
			t.Setenv("CI", row.ci)
			code, shown, _ := ran(t, dir, strings.Fields(row.args)...)
			if code != row.code {
				t.Errorf("exit code %d, want %d", code, row.code)
			}
			for _, text := range row.shows {
				if !strings.Contains(shown, text) {
					t.Errorf("no %q in\n%s", text, shown)
				}
			}
		})
	}
}

// A failure takes a page, however long its output, and so do the failures of a package.
func TestAFailureIsAPage(t *testing.T) {
	dir := module(t, map[string]string{
		"p/p_test.go": tests(`
func TestLong(t *testing.T) {
	for i := range 500 {
		t.Errorf("line %d", i)
	}
}
func TestMany(t *testing.T) {
	for i := range 150 {
		t.Run(fmt.Sprint(i), func(t *testing.T) { t.Error("alike") })
	}
}
`),
		"q/q_test.go": tests(`
func long(t *testing.T) {
	for i := range 500 {
		t.Errorf("line %d", i)
	}
}
func TestA(t *testing.T) { long(t) }
func TestB(t *testing.T) { long(t) }
func TestC(t *testing.T) { long(t) }
func TestD(t *testing.T) { long(t) }
func TestE(t *testing.T) { long(t) }
`),
	})
	_, shown, _ := ran(t, dir, "./q")
	for text, want := range map[string]int{"--- FAIL: ": 2, "… 400 lines left out …": 2, "… and 3 more tests": 1} {
		if got := strings.Count(shown, text); got != want {
			t.Errorf("%q is shown %d times, want %d", text, got, want)
		}
	}
	_, shown, full := ran(t, dir, "./p")
	for _, text := range []string{"line 0\n", "line 59\n", "… 400 lines left out …", "line 460\n", "line 499\n",
		"--- FAIL: TestMany/7 ", "… and 142 more tests of this package that failed\n", "… and 132 more\n", "0 passed, 152 failed"} {
		if !strings.Contains(shown, text) {
			t.Errorf("it does not show %q", text)
		}
	}
	for _, text := range []string{"line 60\n", "line 459\n", "--- FAIL: TestMany/8 "} {
		if strings.Contains(shown, text) || !strings.Contains(full, text) {
			t.Errorf("%q belongs only in the full output", text)
		}
	}
	if n := strings.Count(shown, "\n"); n > 160 {
		t.Errorf("%d lines", n)
	}
}

// An interrupt ends the running tests, and no further run begins. Failures so far are
// shown.
func TestInterrupted(t *testing.T) {
	dir := module(t, map[string]string{
		"hangs/p_test.go": tests(`
func TestFails(t *testing.T) { t.Error("the reason") }
func TestHangs(t *testing.T) {
	if err := os.WriteFile("pid.tmp", fmt.Append(nil, os.Getpid()), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename("pid.tmp", "pid"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Hour)
}
`),
		"next/p_test.go": tests("func TestA(t *testing.T) {}\n"),
	})
	ctx, interrupt := context.WithCancel(t.Context())
	var pid int
	ended, shown := make(chan int, 1), new(bytes.Buffer)
	r := newReport(shown, io.Discard)
	go func() { ended <- run(ctx, dir, []string{"./hangs", "--", "./next"}, r) }()
	testenv.Eventually(t, patience, "one test has failed, and the other hangs", func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "hangs", "pid"))
		if err == nil {
			pid, err = strconv.Atoi(string(text))
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		return err == nil && len(r.failed) == 1
	})
	interrupt()
	if code := <-ended; code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	if strings.Contains(shown.String(), "sample/next") || !strings.Contains(shown.String(), ": the reason\n") {
		t.Errorf("shown:\n%s", shown)
	}
	testenv.Eventually(t, patience, "the test has ended", func() bool { return syscall.Kill(pid, 0) != nil })
}
