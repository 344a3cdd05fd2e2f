package wsgateway

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// Origins are the origins whose pages may open connections. They apply to browsers,
// which send the page's origin; clients that send none are always allowed. Write an
// origin as a browser sends it, such as "https://example.com:8443".
// "https://*.example.com" matches all names below example.com, and "*" any origin.
// Empty Origins match only the gateway's own host. On a loopback address, that host
// must be local, such as localhost: an attacker can make any other name resolve to
// this machine.
type Origins []string

// Validate returns an error if an entry is not an origin.
func (o Origins) Validate() error {
	for _, origin := range o {
		u, err := url.Parse(origin)
		if origin != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin) {
			return fmt.Errorf("origin %q: want a scheme and a host, such as https://example.com", origin)
		}
	}
	return nil
}

// allow checks the request's Origin header. The address is the gateway's.
func (o Origins) allow(r *request, address net.Addr) bool {
	origin, fields := r.value("Origin")
	if fields != 1 {
		return fields == 0
	}
	origin = strings.ToLower(origin)
	if len(o) == 0 {
		_, host, _ := strings.Cut(origin, "://")
		return sameHost(host, strings.ToLower(r.host)) && (isLocal(r.host) || !isLoopback(address))
	}
	for _, allowed := range o {
		if allowed == "*" || matches(strings.ToLower(allowed), origin) {
			return true
		}
	}
	return false
}

// matches reports whether the origin is the allowed one, or matches its wildcard.
func matches(allowed, origin string) bool {
	scheme, parent, wildcard := strings.Cut(allowed, "://*.")
	if !wildcard {
		return origin == allowed
	}
	name, ok := strings.CutPrefix(origin, scheme+"://")
	below, isBelow := strings.CutSuffix(name, "."+parent)
	return ok && isBelow && below != "" && !strings.ContainsAny(below, "/:@")
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
