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
// of one. Calls run concurrently, but the messages of one connection are handled
// one at a time, and answered in order. A call that has told by ports.Placed that it
// only waits does not count, neither for that nor as one of Config.Concurrency. The
// context ends after Config.IntegrationTimeout; a call that runs longer is abandoned, as
// a Lambda function would be. Errors and panics are logged and never shown to a client.
type Integration func(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error)

// Route is one route of the API.
type Route struct {
	Integration Integration
	// Response gives the route a route response: the integration's body is sent to
	// the client, even if it is empty. Without it, the client gets nothing. $connect
	// and $disconnect never have one.
	Response bool
}

// Config holds the settings of a Gateway. The zero value of a setting selects its
// default.
type Config struct {
	// Stage is the API's stage, which is part of the served paths. It consists of
	// letters, digits, '-' and '_'. The default is "dev".
	Stage string
	// Routes are "$connect", "$disconnect", "$default" and one for each action.
	// Without $connect, every handshake is accepted. Without $default, a message
	// that matches no route is answered with Forbidden.
	Routes map[string]Route
	// Authorizer decides on each handshake before $connect runs. Without one, everyone
	// can connect.
	Authorizer Authorizer
	// AuthorizedUntil returns when the authorization of a connection ends, by what the
	// Authorizer said of it; zero for never. The gateway closes the connection then, with
	// code 1000 and up to ten seconds later, so that not all clients come back at once.
	// API Gateway does not. The default is never. Renew changes it later.
	AuthorizedUntil func(authorizer map[string]any) time.Time
	// Log records failures of integrations and connections. The default discards
	// them.
	Log *slog.Logger
	// Observer is called for the events that Log records, and for others. The default
	// is none. Both can be set.
	Observer Observer

	// Origins lists the origins whose pages may connect. By default, only pages from
	// the gateway's own host may.
	Origins Origins
	// MaxConnections is the maximum number of connections. Further handshakes are
	// answered with 503. The default is 50,000.
	MaxConnections int
	// HandshakeTimeout is how long a client may take to send the head of its
	// handshake. The default is 10 seconds.
	HandshakeTimeout time.Duration
	// FrameLimit and MessageLimit are in bytes and apply in both directions. The
	// defaults are 32 KiB and 128 KiB. MessageLimit cannot exceed its default.
	FrameLimit, MessageLimit int
	// MessageTimeout is how long a client may take to send a message once it has
	// started. After that the connection is closed; $disconnect gets 1008. The default
	// is 30 seconds.
	MessageTimeout time.Duration
	// MessageMemory is the maximum size in bytes of all partially received messages.
	// Beyond it, the connection with the oldest one is aborted; $disconnect gets 1013.
	// The default is 64 MiB.
	MessageMemory int
	// Window is how many bytes of messages one client may send before it has to wait
	// for their delivery. Each message counts as at least 256 bytes. They are delivered
	// when the channel that NextWindow returned before the first was handled is closed,
	// and at least half of all clients have nothing left waiting for them. A client
	// that uses up a window within two seconds while others send too, and has to wait
	// for the delivery, then waits three hundred times as long again, up to a minute, so
	// that a flood barely delays the others. Clients that do so wait one after another.
	// The default is 32 KiB. Without NextWindow there is no limit.
	Window     int
	NextWindow func() <-chan struct{}
	// Concurrency is how many integrations run at once. If they run in this process,
	// keep it small, so that flooding clients leave time for the others. The default is
	// 10,000.
	Concurrency int
	// IdleTimeout is how long a connection can go without a frame in either direction
	// before it is closed. The default is 10 minutes.
	IdleTimeout time.Duration
	// Lifetime is how long any connection can last. The default is 2 hours.
	Lifetime time.Duration
	// IntegrationTimeout is how long one call can take. The default is 29 seconds.
	IntegrationTimeout time.Duration

	// Backlog is how many bytes of posts can wait for one client, beyond what the
	// operating system buffers. A client that exceeds it reads too slowly and is
	// aborted; $disconnect gets 1008. One message can always wait. A message that waits
	// for many clients is in memory once. The default is 8 MiB.
	Backlog int
	// SendBuffer is how many bytes can wait for a client before its replies have to
	// wait for room. Meanwhile nothing is read from it, and posts through the
	// @connections API are throttled. One message can always wait. The default is 256 KiB.
	SendBuffer int
	// WriteTimeout is how long a client can leave everything that waits for it unread
	// before it is aborted; $disconnect gets 1008. Progress is visible only in steps,
	// whose size depends on the operating systems' buffers, so a client that reads
	// less than about 200 KB in that time can be aborted too. The default is 30 seconds.
	WriteTimeout time.Duration
	// PeerTimeout is how long a client's host can leave data unacknowledged before its
	// connection counts as lost. If nothing is sent, the host is probed after five
	// minutes. PeerTimeout has to exceed WriteTimeout. Only Linux enforces it exactly.
	// The default is 45 seconds.
	PeerTimeout time.Duration
	// CloseTimeout is how long a client may take to answer a close frame. A client
	// that is still sending gets up to three times as long. The default is 5 seconds.
	CloseTimeout time.Duration
}

var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (cfg Config) withDefaults() Config {
	cfg.Stage = cmp.Or(cfg.Stage, "dev")
	if cfg.AuthorizedUntil == nil {
		cfg.AuthorizedUntil = func(map[string]any) time.Time { return time.Time{} }
	}
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
		return fmt.Errorf("stage %q: want only letters, digits, '-' and '_'", cfg.Stage)
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
		return fmt.Errorf("message limit of %d bytes exceeds the maximum of %d", cfg.MessageLimit, domain.MaxPayload)
	}
	return nil
}
