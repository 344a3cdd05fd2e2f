package stacklocal

import (
	"fmt"
	"regexp"
)

// addresses knows what on this machine stands for what on AWS.
type addresses struct {
	exact map[string]string // URLs of queues, names of tables
	apis  []api
}

// api is an API and the address, with its port, at which it is served here.
type api struct{ id, address string }

// local returns the text with addresses on this machine.
func (a addresses) local(text string) string {
	if local, ok := a.exact[text]; ok {
		return local
	}
	for _, api := range a.apis {
		text = api.host().ReplaceAllString(text, fmt.Sprintf("${scheme}://%s", api.address))
	}
	return text
}

// host is the API's host in a URL, with the scheme but for the s of TLS.
func (a api) host() *regexp.Regexp {
	return regexp.MustCompile(`(?P<scheme>http|ws)s://` + regexp.QuoteMeta(a.id) + `\.execute-api\.[a-z0-9-]+\.[a-z.]+`)
}

func (a *addresses) add(onAWS, local string) {
	if a.exact == nil {
		a.exact = make(map[string]string)
	}
	a.exact[onAWS] = local
}

// elsewhere finds an address for which nothing stands here.
var elsewhere = regexp.MustCompile(`https?://[^/]*\.amazonaws\.[a-z.]+`)
