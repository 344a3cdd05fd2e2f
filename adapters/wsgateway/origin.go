package wsgateway

import (
	"net"
	"net/netip"
	"strings"

	"serverless-websocket/adapters/internal/origin"
)

// Origins are the origins whose pages may open connections. They apply to browsers,
// which send the page's origin; clients that send none are always allowed. Write an
// origin as a browser sends it, such as "https://example.com:8443".
// "https://*.example.com" matches all names below example.com, and "*" any origin.
// Empty Origins match only the gateway's own host. On a loopback address, that host
// must be local, such as localhost: an attacker can make any other name resolve to
// this machine.
type Origins = origin.List

// allowsPage checks the request's Origin header, if it has one: only then is it worth a system
// call to know the gateway's address.
func (g *Gateway) allowsPage(r *request, sock net.Conn) bool {
	_, fields := r.value("Origin")
	return fields == 0 || allowsOrigin(g.cfg.Origins, r, sock.LocalAddr())
}

// allowsOrigin checks the request's Origin header. The address is the gateway's.
func allowsOrigin(allowed Origins, r *request, address net.Addr) bool {
	page, fields := r.value("Origin")
	if fields != 1 {
		return fields == 0
	}
	if len(allowed) == 0 {
		_, host, _ := strings.Cut(strings.ToLower(page), "://")
		return sameHost(host, strings.ToLower(r.host)) && (isLocal(r.host) || !isLoopback(address))
	}
	return allowed.Has(page)
}

// sameHost compares hosts without their ports: a page and its WebSocket are often
// served on different ports of one host.
func sameHost(a, b string) bool {
	return a != "" && hostname(a) == hostname(b)
}

func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

// isLocal reports whether a host name always means this machine.
func isLocal(host string) bool {
	name := strings.ToLower(hostname(host))
	address, err := netip.ParseAddr(name)
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || err == nil && address.IsLoopback()
}

func isLoopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
