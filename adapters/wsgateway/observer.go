package wsgateway

import (
	"log/slog"

	"serverless-websocket/domain"
)

// Observer has a hook for each event that a log or metrics need. No hook is called
// for a post, nor for a message unless its integration fails.
//
// Hooks can be called concurrently and must not block: handshakes and connections
// wait for them. The gateway holds no lock while it calls one, so two events that
// follow each other closely can arrive in either order, except that a connection
// always opens before it closes. Hooks can still be called after a Close that
// returned an error.
type Observer interface {
	// ConnectionOpened is called before the client's first message is read.
	ConnectionOpened(id domain.ConnectionID)
	// ConnectionClosed is called once for each connection that was opened, before
	// $disconnect is invoked.
	ConnectionClosed(id domain.ConnectionID, end ConnectionEnd)

	// ConnectionRefused is called for each handshake that is answered 503 because
	// Config.MaxConnections, the limit, is reached. refused counts these handshakes
	// since the last RefusalsEnded: it is 1 for the first.
	ConnectionRefused(limit, refused int)
	// RefusalsEnded is called after refusals, when a twentieth of the limit is free again.
	RefusalsEnded(refused int)

	// IntegrationFailed is called when an integration returns an error, panics or
	// times out, or when its response cannot be sent.
	IntegrationFailed(route string, id domain.ConnectionID, requestID string, err error)

	// AcceptFailed is called each time the listener fails to accept a socket.
	// failures counts them since the listener last accepted one: it is 1 for the first.
	AcceptFailed(err error, failures int)
	// AcceptRecovered is called when the listener accepts a socket again.
	AcceptRecovered(failures int)

	// OriginRefused is called for each handshake that Config.Origins refuses. The
	// arguments are its Origin and Host headers.
	OriginRefused(origins []string, host string)
}

// ConnectionEnd is how a connection ended.
type ConnectionEnd struct {
	// Code and Reason are those that $disconnect gets.
	Code   int
	Reason string
	// TooSlow is set if the gateway aborted the connection because the client reads too
	// slowly: a post exceeded Config.Backlog, or the client took nothing for
	// Config.WriteTimeout. Code is then 1008, unless the connection was already closing.
	TooSlow bool
}

// observe calls a hook of every observer.
func (g *Gateway) observe(hook func(Observer)) {
	for _, o := range g.observers {
		hook(o)
	}
}

func (cfg Config) observers() (all []Observer) {
	if cfg.Log != nil {
		all = append(all, logObserver{cfg.Log})
	}
	if cfg.Observer != nil {
		all = append(all, cfg.Observer)
	}
	return all
}

// logObserver writes to Config.Log. Of refusals or failures in a row, it logs only the
// first.
type logObserver struct{ log *slog.Logger }

func (o logObserver) ConnectionOpened(domain.ConnectionID) {}

func (o logObserver) ConnectionClosed(id domain.ConnectionID, end ConnectionEnd) {
	o.log.Debug("connection closed", "connectionId", id, "code", end.Code, "reason", end.Reason)
}

func (o logObserver) ConnectionRefused(limit, refused int) {
	if refused == 1 {
		o.log.Warn("connections are refused: there are as many as there may be", "connections", limit)
	}
}

func (o logObserver) RefusalsEnded(refused int) {
	o.log.Warn("connections are accepted again", "refused", refused)
}

func (o logObserver) IntegrationFailed(route string, id domain.ConnectionID, requestID string, err error) {
	o.log.Error("integration failed", "route", route, "connectionId", id, "requestId", requestID, "error", err)
}

func (o logObserver) AcceptFailed(err error, failures int) {
	if failures == 1 {
		o.log.Warn("no connection can be accepted", "error", err)
	}
}

func (o logObserver) AcceptRecovered(failures int) {
	o.log.Warn("connections are accepted again", "failures", failures)
}

func (o logObserver) OriginRefused(origins []string, host string) {
	o.log.Debug("origin refused", "origins", origins, "host", host)
}
