package makefile

import (
	"strings"
	"testing"
)

// A vulnerability fails make lint. A database that cannot be read does not, and is
// reported.
func TestVulnerabilitiesFailLint(t *testing.T) {
	c := newCheckout(t)
	for name, one := range map[string]struct {
		result, want string
		ok           bool
	}{
		"none":    {"exit 0", "", true},
		"offline": {"echo 'govulncheck: fetching vulnerabilities: no such host' >&2; exit 1", "govulncheck skipped", true},
		"found":   {"echo 'Vulnerability #1: GO-2024-0001'; exit 3", "Vulnerability #1: GO-2024-0001", false},
		"broken":  {"echo 'no such module' >&2; exit 1", "no such module", false},
	} {
		c.standIn(t, "go", one.result)
		_, stderr, ok := c.make(t, "govulncheck")
		if ok != one.ok || !strings.Contains(stderr, one.want) || one.want == "" && strings.Contains(stderr, "skipped") {
			t.Errorf("%s: make says %q, success %v", name, stderr, ok)
		}
	}
}
