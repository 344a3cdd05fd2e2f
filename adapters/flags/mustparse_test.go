package flags_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"serverless-websocket/adapters/flags"
)

// TestMain plays the program that TestMustParse runs.
func TestMain(m *testing.M) {
	if os.Getenv("FLAGS_TEST_PROGRAM") == "" {
		os.Exit(m.Run())
	}
	flag.CommandLine = flag.NewFlagSet("", flag.ExitOnError)
	clients := flag.Int("clients", 7, "how many clients connect")
	flags.Require(flag.CommandLine, "clients", "1 or more", flags.Positive[int])
	flags.MustParse("program")
	fmt.Println(*clients, "clients")
}

func TestMustParse(t *testing.T) {
	for args, want := range map[string]struct {
		code           int
		stdout, stderr string
	}{
		"":           {0, "7 clients\n", ""},
		"-clients 3": {0, "3 clients\n", ""},
		"-help":      {0, "  -clients int\n    \thow many clients connect (default 7)\n", ""},
		"-clients 0": {2, "", "program: invalid value \"0\" for flag -clients: want a whole number, 1 or more; see -help\n"},
		"stray":      {2, "", "program: unexpected argument \"stray\"; see -help\n"},
	} {
		var stdout, stderr bytes.Buffer
		cmd := exec.Command(os.Args[0], strings.Fields(args)...)
		cmd.Env = append(os.Environ(), "FLAGS_TEST_PROGRAM=1")
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run() // the code says it
		if code := cmd.ProcessState.ExitCode(); code != want.code || stdout.String() != want.stdout || stderr.String() != want.stderr {
			t.Errorf("%q: %d, %q, %q", args, code, stdout.String(), stderr.String())
		}
	}
}
