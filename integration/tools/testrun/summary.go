package main

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// skip is a test that was skipped.
type skip struct{ pkg, reason string }

// maxNamed is how many of the failed tests are named at the end.
const maxNamed = 20

// position is where a test's message comes from.
var position = regexp.MustCompile(`^\s*[\w.-]+\.go:\d+: `)

// reason returns why a test was skipped: its last message.
func reason(lines []string) string {
	for _, line := range slices.Backward(lines) {
		if position.MatchString(line) {
			return strings.TrimSpace(position.ReplaceAllString(line, ""))
		}
	}
	return "no reason given"
}

// summary lists what failed and what was skipped, and counts what passed.
func (r *report) summary() {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	if len(r.failed) > 0 {
		fmt.Fprintln(&b, "failed:")
		for _, name := range r.failed[:min(maxNamed, len(r.failed))] {
			fmt.Fprintln(&b, "   ", name)
		}
		if more := len(r.failed) - maxNamed; more > 0 {
			fmt.Fprintln(&b, "    … and", more, "more")
		}
	}
	b.WriteString(skips(r.skipped))
	if r.skipsFail() {
		fmt.Fprintln(&b, "with CI set, a skipped test is a failure")
	}
	fmt.Fprintf(&b, "%d passed, %d failed, %d skipped\n", r.passed, len(r.failed), len(r.skipped))
	r.print(b.String())
}

// skips counts the skipped tests by reason, the most frequent first.
func skips(all []skip) string {
	if len(all) == 0 {
		return ""
	}
	byReason := make(map[string][]string) // packages, one for each test
	for _, s := range all {
		byReason[s.reason] = append(byReason[s.reason], s.pkg)
	}
	reasons := slices.SortedFunc(maps.Keys(byReason), func(a, b string) int {
		return cmp.Or(len(byReason[b])-len(byReason[a]), strings.Compare(a, b))
	})
	var b strings.Builder
	fmt.Fprintln(&b, "skipped:")
	for _, reason := range reasons {
		packages := byReason[reason]
		slices.Sort(packages)
		fmt.Fprintf(&b, "    %d in %s: %s\n", len(packages), strings.Join(slices.Compact(slices.Clone(packages)), ", "), reason)
	}
	return b.String()
}
