package makefile

import (
	"strings"
	"testing"
)

// A malformed value is shown in one line, before anything is built.
func TestWrongValues(t *testing.T) {
	c := newCheckout(t)
	c.standIn(t, "go", `case "$1" in env) echo go1.26.0;; esac`)
	for args, want := range map[string]string{
		"simulate SEEDS=many": `SEEDS is "many": want a whole number above 0`,
		"simulate SEED=-1":    `SEED is "-1": want a whole number`,
		"simulate SEEDS=":     `SEEDS is "": want a whole number above 0`,
		"simulate SEEDS=0":    `SEEDS is "0": want a whole number above 0`,
		"hours HOURS=0":       `HOURS is "0": want a whole number above 0`,
		"hours SEED=0":        `SEED is "0": want a whole number above 0`,
		"fuzz FUZZTIME=20":    `FUZZTIME is "20": want a duration such as 20s`,
		"fuzz FUZZTIME=s":     `FUZZTIME is "s": want a duration such as 20s`,
	} {
		if _, stderr, ok := c.make(t, strings.Fields(args)...); ok || !strings.HasPrefix(stderr, want+"\nmake: ***") {
			t.Errorf("make %s: %q, want %q", args, stderr, want)
		}
	}
	for _, args := range []string{"simulate", "simulate SEEDS=7", "simulate SEED=0", "hours", "hours SEED=7", "fuzz", "fuzz FUZZTIME=1m30s", "fuzz FUZZTIME=100x"} {
		if _, stderr, ok := c.make(t, strings.Fields(args)...); !ok {
			t.Errorf("make %s: %s", args, stderr)
		}
	}
}

// deploy and remove get the whole stage name or fail: they must not act on its first
// word.
func TestStagesAndFunctionsAreOneWord(t *testing.T) {
	c := newCheckout(t)
	c.standIn(t, "npm", "mkdir -p node_modules\n")
	c.standIn(t, "npx", `echo "$*"`+"\n")
	if stdout, stderr, ok := c.make(t, "remove", "STAGE=my-test", "ARGS=--force"); !ok || stdout != "sls remove --stage my-test --force\n" {
		t.Errorf("%q, %s", stdout, stderr)
	}
	for _, args := range [][]string{
		{"deploy", "STAGE=prod old"}, {"remove", "STAGE=prod old"}, {"logs", "STAGE=prod old"}, {"remove", "STAGE="},
		{"remove", "STAGE=prod;"}, {"remove", "STAGE=it's"}, {"logs", "FUNCTION=fanOut ping"},
	} {
		name, value, _ := strings.Cut(args[1], "=")
		stdout, stderr, ok := c.make(t, args...)
		if want := name + ` is "` + value + `": want a name such as `; ok || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("make %q: %q, %q, want %q", args, stdout, stderr, want)
		}
	}
}
