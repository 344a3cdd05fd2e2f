package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/net/netutil"
)

// listener is an address and what is served there.
type listener struct {
	net.Listener
	endpoint
	label string // empty for a second address of the same listener
	flag  string // the flag for the address
	url   string // for people
}

// endpoint is what is served at an address.
type endpoint struct {
	serve    func(net.Listener) error // until the listener is closed
	shutdown func(context.Context)    // lets requests in progress finish, until ctx ends
}

// sockets serves the gateway's clients, which the gateway itself disconnects.
func (v *service) sockets() endpoint {
	return endpoint{serve: v.gateway.Serve, shutdown: func(context.Context) {}}
}

// http serves plain requests.
func (v *service) http(handler http.Handler) endpoint {
	server := newServer(handler, v.log)
	return endpoint{
		serve: func(l net.Listener) error {
			if err := server.Serve(netutil.LimitListener(l, maxHTTPSockets)); !errors.Is(err, net.ErrClosed) && err != http.ErrServerClosed {
				return err
			}
			return nil
		},
		shutdown: func(ctx context.Context) {
			if server.Shutdown(ctx) != nil {
				server.Close()
			}
		},
	}
}

func (v *service) listen() error {
	err := v.add("WebSocket", "ws-addr", v.settings.wsAddr, "ws://%s", v.sockets())
	if err == nil {
		err = v.add("HTTP", "http-addr", v.settings.httpAddr, "http://%s", v.http(httpAPI(v.log)))
	}
	if err == nil && v.settings.managementAddr != "" {
		err = v.add("@connections", "management-addr", v.settings.managementAddr,
			"http://%s/"+v.settings.stage+"/@connections", v.http(v.gateway.Management()))
	}
	if err != nil {
		for _, l := range v.listeners {
			l.Close()
		}
	}
	return err
}

func (v *service) add(label, flag, address, format string, e endpoint) error {
	l, err := v.gateway.Listen(address)
	if err != nil {
		return v.refused(err, label, flag, address)
	}
	v.listeners = append(v.listeners, listener{
		Listener: l,
		endpoint: e,
		label:    label,
		flag:     flag,
		url:      fmt.Sprintf(format, public(address, l.Addr())),
	})
	if also := v.alsoLocal(address, l.Addr()); also != nil {
		v.listeners = append(v.listeners, listener{Listener: also, endpoint: e, flag: flag})
	}
	return nil
}

// alsoLocal listens on the other address of localhost, since some clients only try that
// one. It returns nil for other hosts, and where there is no such address.
func (v *service) alsoLocal(address string, bound net.Addr) net.Listener {
	host, _, _ := net.SplitHostPort(address)
	tcp, ok := bound.(*net.TCPAddr)
	if host != "localhost" || !ok {
		return nil
	}
	other := net.IPv6loopback
	if tcp.IP.To4() == nil {
		other = net.IPv4(127, 0, 0, 1)
	}
	l, err := v.gateway.Listen(net.JoinHostPort(other.String(), strconv.Itoa(tcp.Port)))
	if err != nil {
		return nil
	}
	return l
}

// newServer limits how long a client can take, and how much it can send.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ConnState:         newHTTPSockets(maxHTTPSockets).changed,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// public is the address to show to people: the host as it was set, or localhost when
// listening on every interface, and the port that was assigned.
func public(address string, bound net.Addr) string {
	host, _, _ := net.SplitHostPort(address)
	_, port, _ := net.SplitHostPort(bound.String())
	return net.JoinHostPort(cmp.Or(host, "localhost"), port)
}

// refused says why the service cannot listen on an address, and how to choose another.
func (v *service) refused(err error, label, flag, address string) error {
	host, port, _ := net.SplitHostPort(address)
	reason, other := v.reason(err, host, port)
	if host == "" {
		address = "port " + port
	}
	example := "-" + flag + " " + other
	if v.settings.underMake {
		example = underMake(example)
	}
	return fmt.Errorf("%s %s (%s); choose another with -%s, as in %s, or with %s",
		address, reason, label, flag, example, envName(flag))
}

// underMake is how to pass a flag to the service when make starts it.
func underMake(flag string) string { return `make run ARGS="` + flag + `"` }

// reason explains the error to people, with an address to try instead.
func (v *service) reason(err error, host, port string) (reason, other string) {
	var unknown *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "is in use" + v.by(port), net.JoinHostPort(host, otherPort(port))
	case errors.Is(err, syscall.EACCES):
		return "needs more permissions than this user has", net.JoinHostPort(host, otherPort(port))
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "is not an address of this machine", "localhost:" + port
	case errors.As(err, &unknown):
		return "has an unknown host", "localhost:" + port
	}
	return "cannot be listened on: " + err.Error(), net.JoinHostPort(host, otherPort(port))
}

// by names the flag of the service's own listener on that port, if there is one.
func (v *service) by(port string) string {
	for _, l := range v.listeners {
		if _, own, _ := net.SplitHostPort(l.Addr().String()); own == port {
			return " by -" + l.flag
		}
	}
	return ""
}

// otherPort is a port to try instead: open to any user, and not one of the defaults.
func otherPort(port string) string {
	n, err := strconv.Atoi(port)
	if err != nil || n < 1024 || n > 65_000 {
		n = 3000
	}
	return strconv.Itoa(n + 10)
}
