package apigwposter

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"serverless-websocket/domain"
)

const (
	algorithm   = "AWS4-HMAC-SHA256"
	service     = "execute-api"
	contentType = "application/octet-stream"
)

// signer signs posts with Signature Version 4.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
type signer struct {
	credentials *aws.CredentialsCache
	region      string
	target      target
	latest      atomic.Pointer[stamp]
}

func newSigner(provider aws.CredentialsProvider, region string, t target) *signer {
	if provider == nil {
		provider = aws.AnonymousCredentials{} // an error at each post that says so
	}
	cache, ok := provider.(*aws.CredentialsCache)
	if !ok {
		cache = aws.NewCredentialsCache(provider)
	}
	return &signer{credentials: cache, region: region, target: t}
}

// stampFor returns the stamp of this second. If several posts need a new one at the same
// time, each computes it, and one is kept.
func (s *signer) stampFor(credentials aws.Credentials, now time.Time) *stamp {
	latest := s.latest.Load()
	if latest == nil || latest.second != now.Unix() || !sameKeys(latest.credentials, credentials) {
		latest = newStamp(s.target, s.region, credentials, now)
		s.latest.Store(latest)
	}
	return latest
}

func sameKeys(a, b aws.Credentials) bool {
	return a.AccessKeyID == b.AccessKeyID && a.SecretAccessKey == b.SecretAccessKey && a.SessionToken == b.SessionToken
}

// stamp is what the posts of one second have in common. Its signing key is valid for a
// day; deriving it every second costs 5 µs, and avoids tracking days and credential
// changes.
type stamp struct {
	second      int64
	credentials aws.Credentials
	target      target
	canonical   string    // of the canonical request, from content-type up to the hash
	toSign      string    // up to the hash of the canonical request
	headers     string    // from Content-Type up to the signature
	macs        sync.Pool // of HMACs with the signing key
}

func newStamp(t target, region string, credentials aws.Credentials, now time.Time) *stamp {
	instant := now.UTC().Format("20060102T150405Z")
	day, _, _ := strings.Cut(instant, "T")
	scope := strings.Join([]string{day, region, service, "aws4_request"}, "/")
	signed := "content-length;content-type;host;x-amz-date"
	canonicalToken, token := "", ""
	if credentials.SessionToken != "" {
		signed += ";x-amz-security-token"
		canonicalToken = "x-amz-security-token:" + credentials.SessionToken + "\n"
		token = "X-Amz-Security-Token: " + credentials.SessionToken + "\r\n"
	}
	key := signingKey(credentials.SecretAccessKey, day, region)
	return &stamp{
		second:      now.Unix(),
		credentials: credentials,
		target:      t,
		canonical: "content-type:" + contentType + "\nhost:" + t.host + "\nx-amz-date:" + instant + "\n" +
			canonicalToken + "\n" + signed + "\n",
		toSign: algorithm + "\n" + instant + "\n" + scope + "\n",
		headers: "Content-Type: " + contentType + "\r\nX-Amz-Date: " + instant + "\r\n" + token +
			"Authorization: " + algorithm + " Credential=" + credentials.AccessKeyID + "/" + scope +
			", SignedHeaders=" + signed + ", Signature=",
		macs: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }},
	}
}

func signingKey(secret, day, region string) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{day, region, service, "aws4_request"} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return key
}

// content is a payload and the data its posts share.
type content struct {
	payload []byte
	length  string // in bytes
	hash    string // SHA-256, in hexadecimal
}

func newContent(payload []byte) content {
	sum := sha256.Sum256(payload)
	return content{payload, strconv.Itoa(len(payload)), hex.EncodeToString(sum[:])}
}

// appendRequest appends the signed request, up to the payload, to b.
func (s *stamp) appendRequest(b []byte, id domain.ConnectionID, c content) []byte {
	signature := s.sign(b, id, c)
	b = append(b, "POST "...)
	b = append(b, s.target.path...)
	b = appendEscaped(b, string(id), "%")
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, s.target.host...)
	b = append(b, "\r\nContent-Length: "...)
	b = append(b, c.length...)
	b = append(b, "\r\n"...)
	b = append(b, s.headers...)
	b = hex.AppendEncode(b, signature[:])
	return append(b, "\r\n\r\n"...)
}

// sign returns the signature. It uses the space after b.
func (s *stamp) sign(b []byte, id domain.ConnectionID, c content) (signature [sha256.Size]byte) {
	start := len(b)
	b = append(b, "POST\n"...)
	b = append(b, s.target.canonicalPath...)
	b = appendEscaped(b, string(id), "%25")
	b = append(b, "\n\ncontent-length:"...) // no query
	b = append(b, c.length...)
	b = append(b, '\n')
	b = append(b, s.canonical...)
	b = append(b, c.hash...)
	canonical := sha256.Sum256(b[start:])

	b = append(b[:start], s.toSign...)
	b = hex.AppendEncode(b, canonical[:])
	mac := s.macs.Get().(hash.Hash)
	defer s.macs.Put(mac)
	mac.Reset()
	mac.Write(b[start:])
	mac.Sum(signature[:0])
	return signature
}
