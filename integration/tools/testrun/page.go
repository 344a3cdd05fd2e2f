package main

import (
	"fmt"
	"strings"
)

const (
	// A page is the part of a test's output that is shown, in lines: the beginning, where
	// a crash is described, and the end, where the log is.
	pageBegin, pageEnd = 60, 40
	// No more failures of a package are shown after this many tests or lines.
	maxFailures, maxLines = 10, 150
)

// page returns the lines, or those at both ends if there are too many.
func page(lines []string) string {
	left := len(lines) - pageBegin - pageEnd
	if left <= 0 {
		return strings.Join(lines, "")
	}
	return strings.Join(lines[:pageBegin], "") +
		fmt.Sprintf("\t… %d lines left out …\n", left) +
		strings.Join(lines[len(lines)-pageEnd:], "")
}

// failures shows the first tests that failed or did not end.
func (p *pkg) failures() string {
	var b strings.Builder
	tests, lines, more := 0, 0, 0
	for _, t := range p.order {
		switch {
		case t.action != "fail" && t.action != "":
		case tests >= maxFailures || lines >= maxLines:
			more++
		default:
			text := t.failure()
			b.WriteString(text)
			tests, lines = tests+1, lines+strings.Count(text, "\n")
		}
	}
	if more > 0 {
		fmt.Fprintf(&b, "… and %d more tests of this package that failed\n", more)
	}
	return b.String()
}

// failure shows one test, its name first.
func (t *test) failure() string {
	name := fmt.Sprintf("--- FAIL: %s did not end\n", t.name)
	var rest []string
	for _, line := range t.lines {
		if strings.HasPrefix(strings.TrimLeft(line, " "), "--- FAIL: "+t.name+" ") {
			name = line
		} else {
			rest = append(rest, line)
		}
	}
	return name + page(rest)
}
