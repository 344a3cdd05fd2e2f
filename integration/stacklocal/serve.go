package stacklocal

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"serverless-websocket/adapters/wsgateway"
)

// closesWithin is how long the gateway may take to close its connections.
const closesWithin = time.Minute

// listen opens an address for each API, before the functions are told of it. It
// is closed last: until then they post to clients.
func (s *Stack) listen(t testing.TB) {
	t.Helper()
	s.servers = make(map[string]*httptest.Server)
	for id := range s.plan.apis {
		server := httptest.NewUnstartedServer(nil)
		t.Cleanup(server.Close)
		s.servers[id] = server
		s.addresses.apis = append(s.addresses.apis, api{id, server.Listener.Addr().String()})
	}
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
			server.Config.Handler = s.webSocketAPI(t, s.plan.stages[id].StageName, routes)
		}
		server.Start()
	}
}

// webSocketAPI returns what serves sockets and @connections, which share a host.
func (s *Stack) webSocketAPI(t testing.TB, stage string, routes []route) http.Handler {
	t.Helper()
	cfg := wsgateway.Config{
		Stage: stage, WriteTimeout: s.options.WriteTimeout, Log: s.options.GatewayLog,
		Routes: make(map[string]wsgateway.Route),
	}
	for _, r := range routes {
		cfg.Routes[r.key] = wsgateway.Route{Integration: webSocketIntegration(s.function(r.function)), Response: r.response}
	}
	gateway, err := wsgateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeGateway(t, gateway) })
	management := s.management(gateway)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/@connections/") {
			management.ServeHTTP(w, r)
		} else {
			gateway.ServeHTTP(w, r)
		}
	})
}

func closeGateway(t testing.TB, gateway *wsgateway.Gateway) {
	ctx, cancel := context.WithTimeout(context.Background(), closesWithin)
	defer cancel()
	if err := gateway.Close(ctx); err != nil {
		t.Error(err)
	}
}

// httpAPI returns what serves the routes of an HTTP API, each for one method and
// path.
func (s *Stack) httpAPI(routes []route) http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc(r.key, httpIntegration(s.function(r.function)))
	}
	return mux
}
