package gateway_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const region = "ap-northeast-2"

// maxSkew is how far off a signer's clock can be.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
const maxSkew = 5 * time.Minute

// authorized only passes on requests that the holder of the keys has signed for
// execute-api. To check, it has the SDK sign them again.
func authorized(keys aws.Credentials, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client has disconnected
		}
		if want, err := authorization(r, body, keys); err != nil || r.Header.Get("Authorization") != want {
			w.Header().Set("X-Amzn-ErrorType", "InvalidSignatureException")
			http.Error(w, `{"message":"The request signature does not match"}`, http.StatusForbidden)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// authorization returns the expected Authorization header of the request; it takes only
// the names of the signed headers from the request.
func authorization(r *http.Request, body []byte, keys aws.Credentials) (string, error) {
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(at).Abs() > maxSkew {
		return "", errors.New("no date, or one that is too far off")
	}
	signed := &http.Request{
		Method: r.Method, Host: r.Host, Header: http.Header{},
		URL: &url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery},
	}
	names := signedHeaders(r)
	for _, name := range names {
		if values := r.Header.Values(name); len(values) > 0 {
			signed.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	if slices.Contains(names, "content-length") {
		signed.ContentLength = r.ContentLength
	}
	hash := sha256.Sum256(body)
	err = v4.NewSigner().SignHTTP(r.Context(), keys, signed, hex.EncodeToString(hash[:]), "execute-api", region, at)
	return signed.Header.Get("Authorization"), err
}

func signedHeaders(r *http.Request) []string {
	_, after, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	list, _, _ := strings.Cut(after, ",")
	return strings.Split(list, ";")
}
