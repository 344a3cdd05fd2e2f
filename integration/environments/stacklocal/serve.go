package stacklocal

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"serverless-websocket/adapters/httpapi"
	"serverless-websocket/adapters/wsgateway"
)

// closesWithin is how long the gateway can take to close its connections.
const closesWithin = time.Minute

// listen opens the addresses of each API before the functions get to know them. They are
// closed last: until then functions post to clients.
func (s *Stack) listen(t testing.TB) {
	t.Helper()
	s.servers, s.sockets = make(map[string]*httptest.Server), make(map[string]net.Listener)
	for id, properties := range s.plan.apis {
		server := httptest.NewUnstartedServer(nil)
		t.Cleanup(server.Close)
		s.servers[id] = server
		one := api{id: id, http: server.Listener.Addr().String()}
		if properties.ProtocolType != "HTTP" {
			s.sockets[id] = listen(t)
			one.ws = s.sockets[id].Addr().String()
		}
		s.addresses.apis = append(s.addresses.apis, one)
	}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// serve opens the APIs.
func (s *Stack) serve(t testing.TB) {
	t.Helper()
	for id, server := range s.servers {
		routes, err := s.plan.routesOf(id)
		if err != nil {
			t.Fatal(err)
		}
		if s.plan.apis[id].ProtocolType == "HTTP" {
			server.Config.Handler = s.httpAPI(routes)
		} else {
			server.Config.Handler = s.management(s.webSocketAPI(t, id, routes))
		}
		server.Start()
	}
}

// webSocketAPI serves the sockets of an API.
func (s *Stack) webSocketAPI(t testing.TB, id string, routes []route) *wsgateway.Gateway {
	t.Helper()
	cfg := wsgateway.Config{
		Stage: s.plan.stages[id].StageName, WriteTimeout: s.options.WriteTimeout, Log: s.options.GatewayLog,
		Routes:  make(map[string]wsgateway.Route),
		Origins: wsgateway.Origins{"*"}, // API Gateway checks none
	}
	for _, r := range routes {
		cfg.Routes[r.key] = wsgateway.Route{Integration: webSocketIntegration(s.function(r.function)), Response: r.response}
		if a := r.authorizer; a != nil {
			cfg.Authorizer = a.guard(authorizerIntegration(s.function(a.function)))
		}
	}
	gateway, err := wsgateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- gateway.Serve(s.sockets[id]) }()
	t.Cleanup(func() {
		s.sockets[id].Close()
		closeGateway(t, gateway)
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return gateway
}

func closeGateway(t testing.TB, gateway *wsgateway.Gateway) {
	ctx, cancel := context.WithTimeout(context.Background(), closesWithin)
	defer cancel()
	if err := gateway.Close(ctx); err != nil {
		t.Error(err)
	}
}

// httpAPI returns the handler for the routes of an HTTP API, each for one method and
// path.
func (s *Stack) httpAPI(routes []route) http.Handler {
	integrations := make(map[string]httpapi.Integration)
	for _, r := range routes {
		integrations[r.key] = httpIntegration(s.function(r.function))
	}
	return httpapi.New(integrations, s.options.GatewayLog)
}
