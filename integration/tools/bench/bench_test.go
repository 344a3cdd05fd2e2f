package main

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// TestMain lets the test binary act as a child, which is this program again.
func TestMain(m *testing.M) {
	if playRole() {
		return
	}
	os.Exit(m.Run())
}

// TestQuick runs everything once. Only `make bench` can tell whether targets are met.
func TestQuick(t *testing.T) {
	var report strings.Builder
	if err := run(&report, t.Output(), quick); err != nil {
		t.Fatal(err)
	}
	t.Log(report.String())
	for _, want := range []string{withDefaults, tuned + ", HTTP/2", plainHTTP, bareHTTP, bareFast, project, "each in a pass of its own", "allocations a post", "at least 20× faster", "to a room of ten", "with tokens, ES256", "64 senders, on disk", "a burst of 500 broadcasts on disk", "a paced broadcast on disk"} {
		if !strings.Contains(report.String(), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

// TestSigner compares the signatures with the SDK's.
func TestSigner(t *testing.T) {
	target := target{endpoint: endpoint{URL: "https://example.com:8443/dev"}, payload: []byte("hello")}
	s, err := newSigner(target)
	if err != nil {
		t.Fatal(err)
	}
	for _, now := range []time.Time{time.Unix(1_800_000_000, 0), time.Unix(1_800_000_000, 999), time.Unix(1_800_000_001, 0)} {
		got := s.sign("L0SM9cOF/HcCIhw=", now)
		request, err := http.NewRequest(http.MethodPost, "https://example.com:8443"+got.path, strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", contentType)
		if err := v4.NewSigner().SignHTTP(t.Context(), s.keys, request, s.hash, "execute-api", region, now); err != nil {
			t.Fatal(err)
		}
		if want := request.Header.Get("Authorization"); got.authorization != want {
			t.Errorf("got  %s\nwant %s", got.authorization, want)
		}
	}
}

func TestConnectionIDs(t *testing.T) {
	seen := map[string]bool{}
	for i := range int64(1000) {
		id := string(connectionID(i))
		if len(id) != 16 || !strings.HasSuffix(id, "=") || seen[id] {
			t.Fatalf("id %d is %q", i, id)
		}
		seen[id] = true
	}
}
