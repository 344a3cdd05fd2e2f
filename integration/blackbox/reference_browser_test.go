package blackbox

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"serverless-websocket/integration/environments/testenv"
)

// followingPage shows the events of the client in JavaScript. It needs a URL and a token.
const followingPage = `<!doctype html><ol id="log"></ol><script type="module">
import { connect } from './index.js';
const show = (text) => { log.appendChild(document.createElement('li')).textContent = text; };
const client = connect({
  url: '%s', token: () => '%s', rooms: ['goals'],
  onMessage: ({ channel, message, lost }) => show(channel + ': ' + (lost ?? message.content)),
  onError: (error) => show('error: ' + error.message),
});
show('sent ' + await client.send({ content: 'from the page', room: 'goals' }));
</script>`

// The client in JavaScript also runs in a browser, and gets there what it has missed.
func TestReferenceClientInABrowser(t *testing.T) {
	s := startStandalone(t, "-auth", "jwt", "-jwt-secret", jwtSecret)
	w := newWire(t, s.webSocketURL)
	html := fmt.Sprintf(followingPage, w.url, token(t, "bob", nil))
	site := http.NewServeMux()
	site.Handle("/", http.FileServer(http.Dir(filepath.Join(testenv.Root(), "clients", "js"))))
	site.HandleFunc("/browser.html", func(out http.ResponseWriter, _ *http.Request) { fmt.Fprint(out, html) })
	server := httptest.NewServer(site)
	t.Cleanup(server.Close)
	p := openPage(t, startBrowser(t), server.URL)
	p.shows("room:goals: from the page")
	p.shows("sent 01")
	alice := signIn(t, s.target, token(t, "alice", nil))
	w.cut(0, func() bool { return true })
	for i := range 3 {
		alice.broadcast(fmt.Sprintf(`"number %d"`, i))
		p.shows(fmt.Sprintf("everyone: number %d", i))
	}
}
