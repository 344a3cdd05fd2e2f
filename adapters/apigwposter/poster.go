// Package apigwposter posts to WebSocket connections through the @connections
// API of API Gateway.
package apigwposter

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// Options tune a poster. The zero value of a field means its default.
type Options struct {
	// Timeout bounds each post. Default: 3 s.
	Timeout time.Duration
	// InFlight is how many posts can be under way at once; it bounds the
	// connections that are opened and is how many are kept. Over HTTP/1.1
	// further posts wait for one to end. Default: 256.
	InFlight int
}

// Poster is a ports.Poster.
type Poster struct {
	client  *apigatewaymanagementapi.Client
	timeout time.Duration
}

// New returns a poster to the endpoint, an HTTPS URL with the stage as its path.
// An HTTP client in cfg that the SDK cannot build upon is used as it is, without
// the tuning for many posts at once.
func New(cfg aws.Config, endpoint string, opts Options) *Poster {
	client := apigatewaymanagementapi.NewFromConfig(cfg, func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint = &endpoint
		o.Retryer = aws.NopRetryer{} // when to post again is the use case's decision
		o.HTTPClient = tuned(cfg.HTTPClient, cmp.Or(opts.InFlight, 256))
	})
	return &Poster{client: client, timeout: cmp.Or(opts.Timeout, 3*time.Second)}
}

// Prepare checks the payload's length.
func (p *Poster) Prepare(payload []byte) (ports.Post, error) {
	if len(payload) > domain.MaxPayload {
		return nil, fmt.Errorf("payload of %d bytes: %w", len(payload), ports.ErrTooLarge)
	}
	return func(ctx context.Context, id domain.ConnectionID) error {
		return p.post(ctx, id, payload)
	}, nil
}

func (p *Poster) post(ctx context.Context, id domain.ConnectionID, payload []byte) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	_, err := p.client.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{
		ConnectionId: aws.String(string(id)),
		Data:         payload,
	})
	if err != nil {
		return fmt.Errorf("post to %s: %w", id, classify(err))
	}
	return nil
}
