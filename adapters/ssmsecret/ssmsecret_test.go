package ssmsecret_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"serverless-websocket/adapters/ssmsecret"
	"serverless-websocket/integration/environments/awslocal"
)

const name = "/chat/jwt-secret"

func TestMain(m *testing.M) { goleak.VerifyTestMain(awslocal.M{M: m}) }

func TestRead(t *testing.T) {
	client := awslocal.SSMAt(awslocal.Parameters(t, map[string]string{name: "a secret"}))
	if got, err := ssmsecret.Read(t.Context(), client, name); err != nil || string(got) != "a secret" {
		t.Errorf("%q, %v", got, err)
	}
	_, err := ssmsecret.Read(t.Context(), client, "/chat/another")
	if err == nil || !strings.Contains(err.Error(), "/chat/another") || !strings.Contains(err.Error(), "ParameterNotFound") {
		t.Errorf("a missing parameter: %v", err)
	}
}

// A secret in plain text is a mistake, and the error does not repeat it.
func TestPlainText(t *testing.T) {
	client := awslocal.SSMInMemory(func(w http.ResponseWriter, _ *http.Request) {
		awslocal.WriteParameter(w, "String", "a secret")
	})
	got, err := ssmsecret.Read(t.Context(), client, name)
	if got != nil || err == nil || !strings.Contains(err.Error(), name+" is not a SecureString") || strings.Contains(err.Error(), "a secret") {
		t.Errorf("%q, %v", got, err)
	}
}

// All environments of a function may start at once, and be throttled.
func TestThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		client := awslocal.SSMInMemory(func(w http.ResponseWriter, _ *http.Request) {
			if requests++; requests < 5 {
				awslocal.WriteError(w, http.StatusBadRequest, "ThrottlingException")
				return
			}
			awslocal.WriteParameter(w, "SecureString", "a secret")
		})
		if got, err := ssmsecret.Read(t.Context(), client, name); err != nil || string(got) != "a secret" {
			t.Errorf("%q, %v after %d requests", got, err, requests)
		}
	})
}

func TestNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := awslocal.SSMInMemory(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		start := time.Now()
		_, err := ssmsecret.Read(t.Context(), client, name)
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != 5*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}
