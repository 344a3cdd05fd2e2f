package stacklocal

import "regexp"

// addresses maps addresses on AWS to addresses on this machine.
type addresses struct {
	exact map[string]string // URLs of queues, names of tables
	apis  []api
}

// api is an API and the addresses, with ports, at which it is served here: for http and,
// if it has sockets, for ws. On AWS both have the same host.
type api struct{ id, http, ws string }

// local returns the text with addresses on this machine.
func (a addresses) local(text string) string {
	if local, ok := a.exact[text]; ok {
		return local
	}
	for _, api := range a.apis {
		text = api.host("http").ReplaceAllString(text, "http://"+api.http)
		text = api.host("ws").ReplaceAllString(text, "ws://"+api.ws)
	}
	return text
}

// host is the API's host in a URL, with the scheme.
func (a api) host(scheme string) *regexp.Regexp {
	return regexp.MustCompile(scheme + `s://` + regexp.QuoteMeta(a.id) + `\.execute-api\.[a-z0-9-]+\.[a-z.]+`)
}

func (a *addresses) add(onAWS, local string) {
	if a.exact == nil {
		a.exact = make(map[string]string)
	}
	a.exact[onAWS] = local
}

// elsewhere finds an address that has no local counterpart.
var elsewhere = regexp.MustCompile(`https?://[^/]*\.amazonaws\.[a-z.]+`)
