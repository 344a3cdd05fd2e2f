package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
)

// event is one line of go test -json; see go doc test2json.
type event struct {
	Action, Package, Test, Output string
}

// report turns the events of test runs into the output shown.
type report struct {
	mu       sync.Mutex
	out      io.Writer
	full     io.Writer // gets all output of all tests
	packages map[string]*pkg
	passed   int
	failed   []string
	skipped  []skip
	// failedBefore is how many had failed when this run began.
	failedBefore int
}

// pkg is a package whose tests run.
type pkg struct {
	order []*test // as they began
	tests map[string]*test
	lines []string // of no test
	fails int
}

type test struct {
	name   string
	lines  []string
	action string // how it has ended; empty before
}

func newReport(out, full io.Writer) *report {
	return &report{out: out, full: full, packages: make(map[string]*pkg)}
}

// line takes a line of go test's output.
func (r *report) line(line []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var e event
	if json.Unmarshal(line, &e) != nil || e.Action == "" {
		r.print(string(line))
		return
	}
	switch e.Action {
	case "build-output":
		r.print(e.Output)
	case "output":
		_, _ = io.WriteString(r.full, e.Output)
		r.of(e.Package).add(e)
	case "pass", "fail", "skip":
		if e.Test != "" {
			r.testEnds(e)
		} else {
			r.packageEnds(e)
		}
	}
}

// stderr handles a line that go test writes besides its events.
func (r *report) stderr(line []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.print(string(line))
}

// runFails ends a run as go test does, and says why it failed if no test has. It may have
// been interrupted within packages: failures in them are shown.
func (r *report) runFails(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(r.packages)) {
		if p := r.packages[name]; p.fails > 0 {
			_, _ = io.WriteString(r.out, p.failures()+"FAIL\t"+name+"\n")
		}
	}
	clear(r.packages)
	if len(r.failed) == r.failedBefore {
		r.print(fmt.Sprintln("testrun:", err))
	}
	r.failedBefore = len(r.failed)
	r.print("FAIL\n")
}

func (r *report) print(text string) {
	_, _ = io.WriteString(r.full, text)
	_, _ = io.WriteString(r.out, text)
}

func (r *report) of(name string) *pkg {
	p := r.packages[name]
	if p == nil {
		p = &pkg{tests: make(map[string]*test)}
		r.packages[name] = p
	}
	return p
}

func (p *pkg) test(name string) *test {
	t := p.tests[name]
	if t == nil {
		t = &test{name: name}
		p.tests[name] = t
		p.order = append(p.order, t)
	}
	return t
}

// add keeps a line, unless it only says that a test begins, waits or continues.
func (p *pkg) add(e event) {
	switch {
	case e.Test == "":
		p.lines = append(p.lines, e.Output)
	case !strings.HasPrefix(e.Output, "=== "):
		t := p.test(e.Test)
		t.lines = append(t.lines, e.Output)
	default:
		p.test(e.Test)
	}
}

func (r *report) testEnds(e event) {
	p := r.of(e.Package)
	t := p.test(e.Test)
	t.action = e.Action
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		p.fails++
		r.failed = append(r.failed, e.Package+" "+e.Test)
	case "skip":
		r.skipped = append(r.skipped, skip{e.Package, reason(t.lines)})
	}
	if e.Action != "fail" {
		t.lines = nil // there may be many, and no one needs them
	}
}

// packageEnds shows the same as go test without -v.
func (r *report) packageEnds(e event) {
	p := r.of(e.Package)
	delete(r.packages, e.Package)
	if e.Action != "fail" {
		for _, line := range p.lines {
			if strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "? ") {
				_, _ = io.WriteString(r.out, line)
			}
		}
		return
	}
	if p.fails == 0 { // it did not build, or crashed
		r.failed = append(r.failed, e.Package)
	}
	_, _ = io.WriteString(r.out, p.failures()+page(p.lines))
}

// skipsFail reports whether tests were skipped although none may be.
func (r *report) skipsFail() bool { return len(r.skipped) > 0 && os.Getenv("CI") != "" }
