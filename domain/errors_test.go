package domain_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"serverless-websocket/domain"
)

func TestEveryCodeHasAText(t *testing.T) {
	for _, code := range []domain.Code{
		domain.InvalidJSON, domain.NotAnObject, domain.TooDeep, domain.UnknownAction, domain.InvalidRef,
		domain.MissingContent, domain.BlankContent, domain.ContentTooLarge, domain.Unauthenticated, domain.Forbidden,
		domain.Unavailable, domain.Internal,
	} {
		if domain.NewError(code).Message() == "" {
			t.Errorf("%s has no text", code)
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
