package flags_test

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"serverless-websocket/adapters/flags"
)

func set() *flag.FlagSet {
	f := flag.NewFlagSet("test", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Duration("timeout", time.Minute, "")
	f.Duration("free", time.Minute, "")
	f.Int("clients", 1, "")
	f.Float64("rate", 1, "")
	f.String("stage", "dev", "")
	f.Bool("version", false, "")
	f.Func("even", "", func(text string) error {
		if len(text)%2 != 0 {
			return errors.New("odd")
		}
		return nil
	})
	flags.Require(f, "timeout", "above 0", flags.Positive[time.Duration])
	flags.Require(f, "clients", "1 or more", flags.Positive[int])
	flags.Require(f, "stage", "letters", func(s string) bool { return !strings.Contains(s, "/") })
	return f
}

func TestErrorsSayWhatIsAllowed(t *testing.T) {
	for args, want := range map[string]string{
		"-timeout 10":      `invalid value "10" for flag -timeout: want a duration such as 10s, above 0`,
		"-timeout 0.5":     `invalid value "0.5" for flag -timeout: want a duration such as 0.5s, above 0`,
		"-timeout soon":    `invalid value "soon" for flag -timeout: want a duration such as 10s, above 0`,
		"-timeout -1s":     `invalid value "-1s" for flag -timeout: want a duration such as 10s, above 0`,
		"-timeout -5":      `invalid value "-5" for flag -timeout: want a duration such as 10s, above 0`,
		"-free 7":          `invalid value "7" for flag -free: want a duration such as 7s`,
		"-clients many":    `invalid value "many" for flag -clients: want a whole number, 1 or more`,
		"-clients 0":       `invalid value "0" for flag -clients: want a whole number, 1 or more`,
		"-rate fast":       `invalid value "fast" for flag -rate: want a number`,
		"-stage a/b":       `invalid value "a/b" for flag -stage: want letters`,
		"-even odd":        `invalid value "odd" for flag -even: odd`,
		"-timeout":         "flag needs an argument: -timeout",
		"stray":            `unexpected argument "stray"`,
		"-client 5":        "unknown flag -client; did you mean -clients?",
		"--time-out 5s":    "unknown flag -time-out; did you mean -timeout?",
		"-no-such-flag":    "unknown flag -no-such-flag",
		"-version=perhaps": `invalid boolean value "perhaps" for -version: parse error`,
	} {
		if err := flags.Parse(set(), strings.Fields(args)); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", args, err, want)
		}
	}
}

func TestParse(t *testing.T) {
	f := set()
	args := "-timeout 2s -free -1s -clients 3 -rate 0.5 -stage b -even ab -version"
	if err := flags.Parse(f, strings.Fields(args)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"timeout": "2s", "free": "-1s", "clients": "3", "rate": "0.5", "stage": "b", "version": "true",
	} {
		if got := f.Lookup(name).Value.String(); got != want {
			t.Errorf("-%s is %s, want %s", name, got, want)
		}
	}
	if err := flags.Parse(set(), []string{"-h"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
}

func TestRequireOfAnotherType(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a requirement that can never be checked is taken")
		}
	}()
	flags.Require(set(), "rate", "whole", func(int) bool { return true })
}

func TestDidYouMean(t *testing.T) {
	names := []string{"CLIENTS", "SEED", "SEEDS", "SIZE", "FUNCTION", "P99_BOUND"}
	for wrong, want := range map[string]string{
		"CLIENT":     "CLIENTS",
		"CLEINTS":    "CLIENTS",
		"SEEDZ":      "SEED",
		"SEEDSS":     "SEEDS",
		"SISE":       "SIZE",
		"FUNKTION":   "FUNCTION",
		"P9_BOUND":   "P99_BOUND",
		"P99_BOUNDS": "P99_BOUND",
		"FUNC":       "FUNCTION",
		"BOUND":      "",
		"X":          "",
		"":           "",
	} {
		if want != "" {
			want = "; did you mean " + want + "?"
		}
		if got := flags.DidYouMean(wrong, "", names); got != want {
			t.Errorf("%s: %q, want %q", wrong, got, want)
		}
	}
}
