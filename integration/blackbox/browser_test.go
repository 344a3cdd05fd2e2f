package blackbox

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"serverless-websocket/integration/environments/testenv"
)

// browserWithoutToken uses a page of the service's own host, which may connect by default.
func browserWithoutToken(t *testing.T, tg *target) {
	address, err := url.Parse(tg.webSocketURL)
	if err != nil {
		t.Fatal(err)
	}
	browser, site := startBrowser(t), startSite(t)(address.Hostname())
	alice, bob := openPage(t, browser, site), openPage(t, browser, site)
	for _, p := range []*page{alice, bob} {
		p.connect(tg.webSocketURL, "")
		p.shows(`open, subprotocol ""`)
	}
	alice.send("안녕 <b>")
	bob.shows("someone: 안녕 <b>")
	alice.shows("someone: 안녕 <b>")
}

// signedInBrowser uses the example page from sites that may and may not connect.
func signedInBrowser(t *testing.T, start func(*testing.T, identity) *target) {
	browser, site := startBrowser(t), startSite(t)
	tg := identified(t, start, identity{origins: site("127.0.0.1")})
	good := token(t, "alice", nil)
	t.Run("with a token", func(t *testing.T) {
		p := openPage(t, browser, site("127.0.0.1"))
		p.connect(tg.webSocketURL, good)
		p.shows(`open, subprotocol "bearer"`)
		p.send("hello")
		p.shows("alice: hello")
	})
	for name, refused := range map[string]struct{ host, token string }{
		"with a bad token":               {"127.0.0.1", good + "x"},
		"without a token":                {"127.0.0.1", ""},
		"on a page from an unknown site": {"localhost", good},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPage(t, browser, site(refused.host))
			p.connect(tg.webSocketURL, refused.token)
			p.shows("closed")
			if events := p.events(); !slices.Equal(events, []string{"error", "closed with 1006"}) {
				t.Errorf("events %q", events)
			}
		})
	}
}

// startSite serves the example page. The function that it returns is the site's origin:
// to a browser, each name of this machine is a site of its own.
func startSite(t *testing.T) (origin func(host string) string) {
	t.Helper()
	server := httptest.NewServer(http.FileServer(http.Dir(example(""))))
	t.Cleanup(server.Close)
	return func(host string) string { return strings.Replace(server.URL, "127.0.0.1", host, 1) }
}

// startBrowser starts a browser without a window, which ends with the test.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path, env := testenv.Chromium(t, buildDir())
	ctx, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.Env(env...), chromedp.DisableGPU,
		chromedp.NoSandbox, // root has none, and the page is our own
	)...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	if _, err := chromedp.Run(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// page is the example page in a tab of its own.
type page struct {
	t   *testing.T
	tab context.Context
}

func openPage(t *testing.T, browser context.Context, site string) *page {
	t.Helper()
	tab, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	p := &page{t, tab}
	if _, err := chromedp.Run(tab, chromedp.Navigate(site+"/browser.html")); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *page) connect(url, token string) {
	p.t.Helper()
	p.do(chromedp.SetValue("[name=url]", url), chromedp.SendKeys("[name=token]", token), chromedp.Click("#connect button"))
}

func (p *page) send(content string) {
	p.t.Helper()
	p.do(chromedp.SendKeys("[name=content]", content), chromedp.Click("#send button"))
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.tab, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Steps(steps...)); err != nil {
		p.t.Fatal(err)
	}
}

// events returns what the page shows, line by line.
func (p *page) events() []string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.tab, patience)
	defer cancel()
	lines, err := chromedp.Run(ctx, chromedp.Evaluate[[]string]("[...log.children].map((line) => line.textContent)"))
	if err != nil {
		p.t.Fatal(err)
	}
	return lines
}

func (p *page) shows(event string) {
	p.t.Helper()
	testenv.Eventually(p.t, patience, "the page shows "+event, func() bool {
		return slices.ContainsFunc(p.events(), func(line string) bool { return strings.HasPrefix(line, event) })
	})
}
