// Package origin says which web pages may open connections, by the header Origin that
// browsers send.
package origin

import (
	"fmt"
	"net/url"
	"strings"
)

// List is a list of origins, each as a browser sends it, such as
// "https://example.com:8443". "https://*.example.com" matches all names below
// example.com, and "*" any origin.
type List []string

// Validate returns an error if an entry is not an origin.
func (l List) Validate() error {
	for _, origin := range l {
		plain := strings.Replace(origin, "://*.", "://", 1)
		u, err := url.Parse(plain)
		if origin != "*" && (err != nil || u.Scheme == "" || u.Hostname() == "" || u.Scheme+"://"+u.Host != plain || strings.Contains(plain, "*")) {
			return fmt.Errorf("origin %q: want a scheme and a host, such as https://example.com", origin)
		}
	}
	return nil
}

// Has reports whether the list has an entry that matches the origin.
func (l List) Has(origin string) bool {
	origin = strings.ToLower(origin)
	for _, entry := range l {
		if entry == "*" || matches(strings.ToLower(entry), origin) {
			return true
		}
	}
	return false
}

// matches reports whether the origin is the entry, or matches its wildcard.
func matches(entry, origin string) bool {
	scheme, parent, wildcard := strings.Cut(entry, "://*.")
	if !wildcard {
		return origin == entry
	}
	name, ok := strings.CutPrefix(origin, scheme+"://")
	below, isBelow := strings.CutSuffix(name, "."+parent)
	return ok && isBelow && below != "" && !strings.ContainsAny(below, "/:@")
}
