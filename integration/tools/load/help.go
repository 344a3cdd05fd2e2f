package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// groups are the flags as the help shows them.
var groups = []struct {
	title string
	flags []string
}{
	{"What to connect to", []string{"url", "header", "token", "connect-rate", "connect-timeout", "protocol", "pid"}},
	{"What to do", []string{"scenario", "clients", "senders", "broadcasts", "rate", "size", "drain"}},
	{"Scenario burst", burst.flags},
	{"Scenario ramp", ramp.flags},
	{"Scenario churn", churn.flags},
	{"Scenario slow", slow.flags},
	{"Scenario resume", resume.flags},
	{"Where to report, besides the summary on standard output", []string{"json", "csv", "html"}},
}

const helpHead = `Usage: load [flags]

Connects clients to the service, broadcasts, and reports what was delivered, how
fast, and what was lost, duplicated or out of order.

`

const helpTail = `
Ctrl-C stops sending, waits for outstanding deliveries for at most -drain, and
prints the report so far; a second one ends at once.

Exit status:
  0  nothing was lost
  1  something was lost: accepted, but not delivered to a client that was
     connected all the time or, in scenario resume, has resumed
  2  a flag is wrong
  3  the test failed or is incomplete: clients were refused, at the start or
     when they came back; broadcasts were not sent, not answered (except after
     Ctrl-C) or rejected (a ramp looks for these three and does not fail); the
     server closed connections (except those of slow readers in scenario
     slow); no broadcast was accepted; an output could not be written; the
     process of -pid does not exist; in scenario resume, the service keeps no
     history, refused to resume or did not answer, or a client handed a
     broadcast on twice
Under make, every status but 0 becomes make's own, which is 2.
`

// describe prints the flags in groups, and the scenarios.
func describe(w io.Writer, f *flag.FlagSet) {
	fmt.Fprint(w, helpHead, "Scenarios:\n")
	for _, s := range scenarios {
		fmt.Fprintf(w, "  %-7s %s\n", s.name, s.about)
	}
	for _, g := range groups {
		fmt.Fprintf(w, "\n%s:\n", g.title)
		for _, name := range g.flags {
			describeFlag(w, f.Lookup(name))
		}
	}
	fmt.Fprint(w, helpTail)
}

func describeFlag(w io.Writer, one *flag.Flag) {
	value, usage := flag.UnquoteUsage(one)
	if one.DefValue != "" && !strings.Contains(usage, "by default") {
		usage += fmt.Sprintf(" (default %s)", one.DefValue)
	}
	fmt.Fprintf(w, "  -%s %s\n", one.Name, value)
	writeWrapped(w, usage)
}

// writeWrapped writes the text in lines that fit a terminal of 80 columns.
func writeWrapped(w io.Writer, text string) {
	const indent, width = "       ", 80
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width {
			fmt.Fprintln(w, line)
			line = indent
		}
		line += " " + word
	}
	fmt.Fprintln(w, line)
}
