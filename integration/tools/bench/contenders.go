package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"

	"serverless-websocket/adapters/apigwposter"
	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

const (
	region = "ap-northeast-2"

	withDefaults = "SDK client with its defaults"
	tuned        = "SDK client, tuned transport, no retryer"
	plainHTTP    = "net/http, SDK signer, one payload hash"
	bareHTTP     = "net/http, own signer"
	bareFast     = "fasthttp, own signer"
	project      = "this project's poster"
)

// contender is one way to post a payload to an endpoint.
type contender struct {
	name string
	make func(target) (ports.Post, error)
}

// target is what a contender posts to.
type target struct {
	endpoint
	roots    *x509.CertPool
	inFlight int
	payload  []byte
}

// contenders returns the ways to compare. If HTTP/2 is offered, the tuned SDK client is
// included with both protocols.
func contenders(http2 bool) []contender {
	all := []contender{{withDefaults, sdkDefault}, {tuned + ", HTTP/1.1", sdkTuned(false)}}
	if http2 {
		all = append(all, contender{tuned + ", HTTP/2", sdkTuned(true)})
	}
	return append(all, contender{plainHTTP, signedHTTP}, contender{bareHTTP, viaNetHTTP}, contender{bareFast, viaFastHTTP},
		contender{project, ours})
}

func ours(t target) (ports.Post, error) {
	return newPoster(t).Prepare(t.payload)
}

func newPoster(t target) *apigwposter.Poster {
	return apigwposter.New(config(t), t.URL, apigwposter.Options{Timeout: postTimeout, InFlight: t.inFlight})
}

func sdkDefault(t target) (ports.Post, error) { return sdk(t), nil }

func sdkTuned(http2 bool) func(target) (ports.Post, error) {
	return func(t target) (ports.Post, error) {
		return sdk(t, func(o *apigatewaymanagementapi.Options) {
			o.Retryer = aws.NopRetryer{}
			o.HTTPClient = &http.Client{Transport: tunedTransport(t, http2)}
		}), nil
	}
}

func config(t target) aws.Config {
	return aws.Config{
		Region:      region,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""),
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
			transport.TLSClientConfig = &tls.Config{RootCAs: t.roots}
		}),
	}
}

func sdk(t target, options ...func(*apigatewaymanagementapi.Options)) ports.Post {
	options = append(options, func(o *apigatewaymanagementapi.Options) { o.BaseEndpoint = &t.URL })
	client := apigatewaymanagementapi.NewFromConfig(config(t), options...)
	return func(ctx context.Context, id domain.ConnectionID) error {
		_, err := client.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{
			ConnectionId: (*string)(&id),
			Data:         t.payload,
		})
		return err
	}
}

// tunedTransport keeps a connection for each post in flight.
func tunedTransport(t target, http2 bool) *http.Transport {
	return &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: t.roots},
		MaxIdleConnsPerHost: t.inFlight,
		MaxConnsPerHost:     t.inFlight,
		DisableCompression:  true,
		ForceAttemptHTTP2:   http2,
	}
}

// signedHTTP hashes the payload once and uses only the SDK's signer, which derives the
// signing key once a day.
func signedHTTP(t target) (ports.Post, error) {
	transport, signer := tunedTransport(t, t.HTTP2), v4.NewSigner()
	provider := aws.NewCredentialsCache(config(t).Credentials)
	sum := sha256.Sum256(t.payload)
	hash := hex.EncodeToString(sum[:])
	return func(ctx context.Context, id domain.ConnectionID) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost,
			t.URL+"/@connections/"+url.QueryEscape(string(id)), bytes.NewReader(t.payload))
		if err != nil {
			return err
		}
		request.Header["Content-Type"] = []string{"application/octet-stream"}
		keys, err := provider.Retrieve(ctx)
		if err != nil {
			return err
		}
		if err := signer.SignHTTP(ctx, keys, request, hash, "execute-api", region, time.Now()); err != nil {
			return err
		}
		return check(transport.RoundTrip(request))
	}, nil
}

func check(response *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", response.Status)
	}
	return nil
}
