package apigwposter

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// target is where the posts go.
type target struct {
	tls           bool
	hostname      string
	host          string // as the Host header has it
	address       string // to dial
	path          string // escaped, up to the connection id
	canonicalPath string // escaped once more, as it is signed
}

func parseTarget(endpoint string) (target, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return target{}, fmt.Errorf("endpoint: %w", err)
	}
	if u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
		return target{}, fmt.Errorf("endpoint %q is not an HTTPS URL", endpoint)
	}
	port := u.Port()
	if port == "" {
		port = u.Scheme // the resolver knows it as a service
	}
	path := "/" + strings.TrimPrefix(u.JoinPath("@connections").EscapedPath(), "/") + "/"
	return target{
		tls:           u.Scheme == "https",
		hostname:      u.Hostname(),
		host:          u.Host,
		address:       net.JoinHostPort(u.Hostname(), port),
		path:          path,
		canonicalPath: strings.ReplaceAll(escaped(path), "%2F", "/"),
	}, nil
}

func escaped(s string) string { return string(appendEscaped(nil, s, "%")) }

// appendEscaped replaces each byte that is not unreserved with the escape and two
// hexadecimal digits. The escape is "%" or, to escape twice, "%25": "=" is "%3D" on the
// wire and "%253D" when it is signed.
func appendEscaped(b []byte, s, escape string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; unreserved(c) {
			b = append(b, c)
		} else {
			b = append(append(b, escape...), digits[c>>4], digits[c&15])
		}
	}
	return b
}

// unreserved is the set that RFC 3986 calls unreserved and Signature Version 4 leaves
// unescaped.
func unreserved(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
