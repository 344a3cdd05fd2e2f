package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"serverless-websocket/domain"
)

const contentType = "application/octet-stream"

// signer signs the posts of one payload at about the cost of the poster's own signer:
// data shared by the posts of one second is computed once a second.
type signer struct {
	keys             aws.Credentials
	host, path       string // up to the connection id
	hash, bodyLength string
	latest           atomic.Pointer[second]
}

// second is the data that the signatures of one second share.
type second struct {
	at            int64
	date          string
	canonical     string // from after the path on
	toSign        string // up to the hash of the canonical request
	authorization string // up to the signature
	macs          sync.Pool
}

// signed is what a signature adds to a post.
type signed struct{ path, date, authorization string }

func newSigner(t target) (*signer, error) {
	u, err := url.Parse(t.URL)
	if err != nil {
		return nil, err
	}
	keys, err := config(t).Credentials.Retrieve(context.Background())
	sum := sha256.Sum256(t.payload)
	return &signer{
		keys: keys, host: u.Host, path: u.Path + "/%40connections/",
		hash: hex.EncodeToString(sum[:]), bodyLength: strconv.Itoa(len(t.payload)),
	}, err
}

func (s *signer) sign(id domain.ConnectionID, now time.Time) signed {
	latest := s.latest.Load()
	if latest == nil || latest.at != now.Unix() {
		latest = s.newSecond(now)
		s.latest.Store(latest)
	}
	path := s.path + url.QueryEscape(string(id))
	var space [1024]byte
	b := append(space[:0], "POST\n"...)
	b = append(b, strings.ReplaceAll(path, "%", "%25")...)
	sum := sha256.Sum256(append(b, latest.canonical...))
	mac := latest.macs.Get().(hash.Hash)
	defer latest.macs.Put(mac)
	mac.Reset()
	mac.Write(hex.AppendEncode(append(space[:0], latest.toSign...), sum[:]))
	signature := hex.AppendEncode(nil, mac.Sum(space[:0]))
	return signed{path, latest.date, latest.authorization + string(signature)}
}

func (s *signer) newSecond(now time.Time) *second {
	const names = "content-length;content-type;host;x-amz-date"
	date := now.UTC().Format("20060102T150405Z")
	scope := date[:8] + "/" + region + "/execute-api/aws4_request"
	key := []byte("AWS4" + s.keys.SecretAccessKey)
	for part := range strings.SplitSeq(scope, "/") {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return &second{
		at:   now.Unix(),
		date: date,
		canonical: "\n\ncontent-length:" + s.bodyLength + "\ncontent-type:" + contentType + "\nhost:" + s.host +
			"\nx-amz-date:" + date + "\n\n" + names + "\n" + s.hash,
		toSign:        "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n",
		authorization: "AWS4-HMAC-SHA256 Credential=" + s.keys.AccessKeyID + "/" + scope + ", SignedHeaders=" + names + ", Signature=",
		macs:          sync.Pool{New: func() any { return hmac.New(sha256.New, key) }},
	}
}
