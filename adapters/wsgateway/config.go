package wsgateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/domain"
)

// The routes that API Gateway predefines.
const (
	connectRoute    = "$connect"
	disconnectRoute = "$disconnect"
	defaultRoute    = "$default"
)

// Integration is what a route invokes: a Lambda function's handler, or a client
// of one. It is called concurrently, but never concurrently for the messages of
// one connection. Its context ends after Config.IntegrationTimeout; a call that
// goes on beyond that is given up, as a Lambda function would be. Its error, or
// a panic, is logged and never shown to a client.
type Integration func(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error)

// Route is one route of the API.
type Route struct {
	Integration Integration
	// Response says that the route has a route response: the integration's body
	// goes to the client, even when it is empty. Without it the client gets
	// nothing. $connect and $disconnect never have one.
	Response bool
}

// Config holds the settings of a Gateway. The zero value of each stands for its
// default.
type Config struct {
	// Stage is the API's stage, a part of the paths that are served: letters,
	// digits, '-' and '_'. The default is "dev".
	Stage string
	// Routes are "$connect", "$disconnect", "$default" and one for each action.
	// Without $connect every handshake is accepted, without $default a message
	// that matches no route is answered Forbidden.
	Routes map[string]Route
	// Log takes what goes wrong in integrations and connections. The default
	// discards it.
	Log *slog.Logger
	// Observer gets the same events and more, with Log or without. The default is none.
	Observer Observer

	// Origins says whose pages may connect; the default is those of the gateway's
	// own host.
	Origins Origins
	// MaxConnections is how many connections there may be; handshakes beyond
	// answer 503. The default is 50,000.
	MaxConnections int
	// HandshakeTimeout is for a client to send the head of its handshake. The
	// default is 10 seconds.
	HandshakeTimeout time.Duration
	// FrameLimit and MessageLimit are in bytes, for either direction. The
	// defaults are 32 KiB and 128 KiB, which is also the highest MessageLimit.
	FrameLimit, MessageLimit int
	// MessageTimeout is for a client to send the rest of a message once it has begun
	// with it; $disconnect gets 1008. The default is 30 seconds.
	MessageTimeout time.Duration
	// MessageMemory is how many bytes messages may take that have come in part.
	// Beyond it, the connection is aborted whose message was begun the longest ago;
	// $disconnect gets 1013. The default is 64 MiB.
	MessageMemory int
	// Window is how many bytes of messages one client may send, each counted as 256
	// bytes at least, before it has to wait until they are delivered: until a channel
	// is closed that NextWindow returned before the first of them was handled, and
	// most clients have taken what was sent to them. A client that uses up a window
	// within two seconds while others send as well waits a hundred times as long as
	// the delivery took, up to ten seconds. So no flood adds much to the delay of the
	// others. The default is 32 KiB. Without NextWindow there is no such bound.
	Window     int
	NextWindow func() <-chan struct{}
	// Concurrency is how many messages are handled at once. Where integrations run
	// in this process, it should be small, so that clients that flood leave time for
	// the others. The default is 10,000.
	Concurrency int
	// IdleTimeout ends a connection on which no frame went either way. The
	// default is 10 minutes.
	IdleTimeout time.Duration
	// Lifetime ends every connection. The default is 2 hours.
	Lifetime time.Duration
	// IntegrationTimeout is for one call. The default is 29 seconds.
	IntegrationTimeout time.Duration

	// Backlog is how many bytes of posts may wait for one client, beyond what the
	// operating system buffers. A client for which more would wait reads too slowly
	// for what it is sent, and is aborted; $disconnect gets 1008. One message may
	// always wait. What many clients wait for is in memory once. The default is 8 MiB.
	Backlog int
	// SendBuffer is how many bytes may wait for a client that still gets replies.
	// While more wait, nothing is read from it, and posts by the @connections API
	// are throttled. One message may always wait. The default is 256 KiB.
	SendBuffer int
	// WriteTimeout is how long a client may take nothing of what waits for it
	// before it is aborted; $disconnect gets 1008. What is taken shows only in
	// steps, as large as the buffers of the operating systems make them: a
	// client that reads less than some 200 KB in that time may be aborted too.
	// The default is 30 seconds.
	WriteTimeout time.Duration
	// PeerTimeout is how long a client's host may be silent, when it has something to
	// acknowledge, before it counts as vanished; that of a connection on which
	// nothing is sent is asked after five minutes. It has to be longer than
	// WriteTimeout. Linux alone keeps it exactly. The default is 45 seconds.
	PeerTimeout time.Duration
	// CloseTimeout is how long a client may take to answer a close frame, or up to
	// three times that while it still sends. The default is 5 seconds.
	CloseTimeout time.Duration
}

var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (cfg Config) withDefaults() Config {
	cfg.Stage = cmp.Or(cfg.Stage, "dev")
	cfg.MaxConnections = cmp.Or(cfg.MaxConnections, 50_000)
	cfg.HandshakeTimeout = cmp.Or(cfg.HandshakeTimeout, 10*time.Second)
	cfg.FrameLimit = cmp.Or(cfg.FrameLimit, 32<<10)
	cfg.MessageLimit = cmp.Or(cfg.MessageLimit, domain.MaxPayload)
	cfg.MessageTimeout = cmp.Or(cfg.MessageTimeout, 30*time.Second)
	cfg.MessageMemory = cmp.Or(cfg.MessageMemory, 64<<20)
	cfg.Window = cmp.Or(cfg.Window, 32<<10)
	cfg.Concurrency = cmp.Or(cfg.Concurrency, 10_000)
	cfg.IdleTimeout = cmp.Or(cfg.IdleTimeout, 10*time.Minute)
	cfg.Lifetime = cmp.Or(cfg.Lifetime, 2*time.Hour)
	cfg.IntegrationTimeout = cmp.Or(cfg.IntegrationTimeout, 29*time.Second)
	cfg.SendBuffer = cmp.Or(cfg.SendBuffer, 256<<10)
	cfg.Backlog = cmp.Or(cfg.Backlog, 8<<20)
	cfg.WriteTimeout = cmp.Or(cfg.WriteTimeout, 30*time.Second)
	cfg.PeerTimeout = cmp.Or(cfg.PeerTimeout, 45*time.Second)
	cfg.CloseTimeout = cmp.Or(cfg.CloseTimeout, 5*time.Second)
	return cfg
}

func (cfg Config) validate() error {
	if !stageName.MatchString(cfg.Stage) {
		return fmt.Errorf("stage %q: only letters, digits, '-' and '_'", cfg.Stage)
	}
	for key, route := range cfg.Routes {
		if key == "" || route.Integration == nil {
			return fmt.Errorf("route %q: needs a name and an integration", key)
		}
	}
	if min(cfg.MaxConnections, cfg.FrameLimit, cfg.MessageLimit, cfg.MessageMemory, cfg.Window, cfg.Concurrency, cfg.SendBuffer, cfg.Backlog) < 0 {
		return errors.New("negative limit")
	}
	if min(cfg.HandshakeTimeout, cfg.MessageTimeout, cfg.IdleTimeout, cfg.Lifetime, cfg.IntegrationTimeout, cfg.WriteTimeout, cfg.PeerTimeout, cfg.CloseTimeout) < 0 {
		return errors.New("negative duration")
	}
	if err := cfg.Origins.Validate(); err != nil {
		return err
	}
	if cfg.MessageLimit > domain.MaxPayload {
		return fmt.Errorf("message limit of %d bytes: at most %d", cfg.MessageLimit, domain.MaxPayload)
	}
	return nil
}
