package apigwposter

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Closing closes connections by DELETE. They are few, so the SDK's signer will do.
func (p *Poster) Closing() ports.Post {
	return func(ctx context.Context, id domain.ConnectionID) error {
		if p.err != nil {
			return p.err
		}
		if err := p.send(ctx, request{id: id, closes: true}); err != nil {
			return fmt.Errorf("close %s: %w", id, err)
		}
		return nil
	}
}

// appendClosing appends the signed request to b.
func (p *Poster) appendClosing(ctx context.Context, b []byte, id domain.ConnectionID, keys aws.Credentials) ([]byte, error) {
	t := p.target
	path := string(appendEscaped([]byte(t.path), string(id), "%"))
	request := &http.Request{
		Method: http.MethodDelete, Host: t.host, Header: http.Header{},
		URL: &url.URL{Scheme: "https", Host: t.host, Opaque: "//" + t.host + path},
	}
	nothing := sha256.Sum256(nil)
	if err := v4.NewSigner().SignHTTP(ctx, keys, request, hex.EncodeToString(nothing[:]), service, p.signer.region, p.now()); err != nil {
		return nil, err
	}
	request.URL.Opaque = path
	out := bytes.NewBuffer(b)
	err := request.Write(out)
	return out.Bytes(), err
}
