package main

import (
	"slices"
	"strings"
	"testing"
)

// runResume runs the built generator against the service.
func runResume(t *testing.T, address string, args ...string) result {
	t.Helper()
	args = slices.Concat([]string{"-url", address, "-scenario", "resume", "-clients", "100"}, inTime, args)
	return startGenerator(t, program(t, "load", args...)).finish(t)
}

// Clients of the real service miss nothing, however often they are cut.
func TestResumeStandalone(t *testing.T) {
	t.Parallel()
	r := runResume(t, startStandalone(t), "-broadcasts", "200", "-rate", "50", "-senders", "2",
		"-resume-share", "0.2", "-resume-every", "300ms", "-resume-away", "300ms")
	d, got := r.Deliveries, r.Resume
	if r.status != exitOK || d.Delivered != 100*200 || d.Lost+d.Duplicated+d.OutOfOrder+d.Damaged+d.Unreadable != 0 {
		t.Errorf("status %d, %+v\n%s\n%s", r.status, d, r.stdout, r.stderr)
	}
	if got.Recovered == 0 || got.Cuts < 20 || got.Resumes < got.Cuts/2 || got.ToldLost != 0 || len(got.Refused) != 0 {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(r.stdout, " recovered, 0 told as lost") {
		t.Error(r.stdout)
	}
}

// A service that keeps 4 KB has forgotten what a client missed, and says so.
func TestResumeForgetfulStandalone(t *testing.T) {
	t.Parallel()
	r := runResume(t, startStandalone(t, "-data", "", "-history-bytes", "4000"),
		"-broadcasts", "150", "-rate", "50", "-size", "1000", "-resume-every", "1s", "-resume-away", "1s", "-drain", "3s")
	if r.status != exitLost || r.Deliveries.Lost == 0 || r.Resume.ToldLost == 0 || r.Deliveries.Duplicated != 0 {
		t.Errorf("status %d, %+v, %+v\n%s", r.status, r.Deliveries, r.Resume, r.stderr)
	}
}

// Without history, it says in one sentence what to do.
func TestResumeStandaloneWithoutHistory(t *testing.T) {
	t.Parallel()
	r := runResume(t, startStandalone(t, "-history-days", "0"))
	want := "load: " + errNoHistory.Error() + "\n"
	if r.status != exitFailed || !strings.Contains(r.stderr, want) || r.Broadcasts.Sent != 0 {
		t.Errorf("status %d, %q, %+v\n%s", r.status, r.Failure, r.Broadcasts, r.stderr)
	}
}

// What the service does not number is counted as it is elsewhere.
func TestSteadyWithoutHistory(t *testing.T) {
	t.Parallel()
	address := startStandalone(t, "-history-days", "0")
	args := []string{"-url", address, "-clients", "50", "-broadcasts", "50", "-rate", "50"}
	r := startGenerator(t, program(t, "load", append(args, inTime...)...)).finish(t)
	d := r.Deliveries
	if r.status != exitOK || d.Delivered != 50*50 || d.Lost+d.Duplicated+d.OutOfOrder+d.Foreign+d.Unreadable != 0 {
		t.Errorf("status %d, %+v", r.status, d)
	}
}
