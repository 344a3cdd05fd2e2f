package domain_test

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"serverless-websocket/domain"
)

var declared = regexp.MustCompile(`(?m)^\t\w+ +Code = "(\w+)"$`)

// codes reads the codes from the source: a list here would miss new ones.
func codes(t *testing.T) (found []domain.Code) {
	t.Helper()
	for _, match := range declared.FindAllStringSubmatch(read(t, "errors.go"), -1) {
		found = append(found, domain.Code(match[1]))
	}
	if !slices.Contains(found, domain.InvalidJSON) || !slices.Contains(found, domain.Internal) {
		t.Fatalf("the codes were not found: %q", found)
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestEveryCodeHasATextAndARow(t *testing.T) {
	protocol := read(t, "../docs/protocol.md")
	for _, code := range codes(t) {
		if domain.NewError(code).Message() == "" {
			t.Errorf("%s has no text", code)
		}
		if !strings.Contains(protocol, "\n| `"+string(code)+"` | ") {
			t.Errorf("%s has no row in docs/protocol.md", code)
		}
	}
}

// Clients of the service's first version match these.
func TestTextsThatMustStay(t *testing.T) {
	for code, want := range map[domain.Code]string{
		domain.MissingContent: "'content' not in message dict",
		domain.UnknownAction:  "Unrecognized WebSocket action.",
	} {
		if got := domain.NewError(code).Message(); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
}

func TestTextsNameTheLimits(t *testing.T) {
	for code, limit := range map[domain.Code]int{
		domain.TooDeep: domain.MaxDepth, domain.InvalidRef: domain.MaxRef, domain.ContentTooLarge: domain.MaxPayload,
	} {
		if got := domain.NewError(code).Message(); !strings.Contains(got, " "+strconv.Itoa(limit)+" ") {
			t.Errorf("%s: %q does not name %d", code, got, limit)
		}
	}
}

func TestTheCauseIsForLogsAlone(t *testing.T) {
	cause := errors.New("table arn:secret not found")
	err := &domain.Error{Code: domain.Internal, Cause: cause}
	if !errors.Is(err, cause) || err.Error() != "internal: table arn:secret not found" {
		t.Errorf("error %v", err)
	}
	if got := err.Message(); got != "Internal server error." {
		t.Errorf("clients are told %q", got)
	}
}
