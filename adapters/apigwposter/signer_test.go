package apigwposter

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"

	"serverless-websocket/domain"
)

// TestSignatureIsTheSDKs signs random posts and has the SDK's signer sign the results.
func TestSignatureIsTheSDKs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		region := rapid.SampledFrom([]string{"ap-northeast-2", "us-east-1"}).Draw(t, "region")
		endpoint := rapid.SampledFrom([]string{
			"https://abc123.execute-api.ap-northeast-2.amazonaws.com/dev", "https://ws.example.com", "https://ws.example.com/",
			"http://127.0.0.1:3001/dev", "https://[::1]:8443/a%20stage/b%2Fc/", "https://ws.example.com/~dev_1-2.3/한글",
		}).Draw(t, "endpoint")
		keys := aws.Credentials{
			AccessKeyID:     rapid.StringMatching(`[A-Z0-9]{20}`).Draw(t, "access key"),
			SecretAccessKey: rapid.StringMatching(`[A-Za-z0-9/+]{40}`).Draw(t, "secret key"),
			SessionToken:    rapid.StringMatching(`([A-Za-z0-9/+]{30,200}=)?`).Draw(t, "token"),
		}
		now := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "time"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns"))
		id := rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9_-]{15}=`), rapid.StringN(1, 20, -1)).Draw(t, "id")
		payload := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "payload")

		target, err := parseTarget(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		stamp := newSigner(nil, region, target).stampFor(keys, now)
		raw := append(stamp.appendRequest(nil, domain.ConnectionID(id), newContent(payload)), payload...)
		got, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			t.Fatalf("not a request: %v\n%s", err, raw)
		}
		if want := signedBySDK(t, endpoint, id, payload, keys, region, now); got.Header.Get("Authorization") != want {
			t.Errorf("Authorization for %s:\n%s, of the SDK\n%s", got.RequestURI, got.Header.Get("Authorization"), want)
		}
		if want := connectionsURL(endpoint).Path + "/" + id; got.URL.Path != want {
			t.Errorf("the path is %q, want %q", got.URL.Path, want)
		}
	})
}

func signedBySDK(t *rapid.T, endpoint, id string, payload []byte, keys aws.Credentials, region string, now time.Time) string {
	u := connectionsURL(endpoint)
	u.Opaque = "//" + u.Host + u.EscapedPath() + "/" + escaped(id)
	request := &http.Request{
		Method: "POST", URL: u, Host: u.Host, ContentLength: int64(len(payload)),
		Header: http.Header{"Content-Type": {"application/octet-stream"}},
	}
	hash := sha256.Sum256(payload)
	err := v4.NewSigner().SignHTTP(t.Context(), keys, request, hex.EncodeToString(hash[:]), "execute-api", region, now)
	if err != nil {
		t.Fatal(err)
	}
	return request.Header.Get("Authorization")
}

func connectionsURL(endpoint string) *url.URL {
	u, err := url.Parse(strings.TrimSuffix(endpoint, "/") + "/@connections")
	if err != nil {
		panic(err)
	}
	return u
}

func TestStampIsKeptForASecond(t *testing.T) {
	s := newSigner(nil, "r", target{})
	at := time.Unix(1_800_000_000, 0)
	keys := aws.Credentials{AccessKeyID: "A", SecretAccessKey: "S", SessionToken: "T"}
	first := s.stampFor(keys, at)
	if s.stampFor(keys, at.Add(time.Second-1)) != first {
		t.Error("a new stamp within the second")
	}
	other := keys
	other.SessionToken = "U"
	if s.stampFor(other, at) == first {
		t.Error("the same stamp with other credentials")
	}
	if s.stampFor(other, at.Add(-time.Second)).toSign == first.toSign {
		t.Error("the same stamp after the clock was set back")
	}
}
