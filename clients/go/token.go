package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// renewBefore is how long before its expiry a token is renewed.
	renewBefore = time.Minute
	// renewAgain is the time between two tries.
	renewAgain = 10 * time.Second
)

// expiry returns when a token expires; zero if it does not say. Only the service can
// verify it.
func expiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	var claims struct{ Exp float64 }
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Exp == 0 {
		return time.Time{}
	}
	return time.Unix(int64(claims.Exp), 0)
}

// usable reports whether a token lasts long enough to connect with it.
func usable(token string) bool {
	at := expiry(token)
	return token != "" && (at.IsZero() || time.Until(at) > renewBefore)
}

// renewLater sends a new token before the client's own expires.
func (c *Client) renewLater() {
	if at := expiry(c.token); !at.IsZero() {
		c.link.renewal = c.after(max(time.Until(at)-renewBefore, renewAgain), c.renew)
	}
}

func (c *Client) notRenewed(err error) {
	c.tell(fmt.Errorf("authenticate: %w", err))
	c.link.renewal = c.after(max(renewAgain, later(retryAfter(err), c.random())), c.renew)
}

var errSameToken = errors.New("no other token is there yet")

// renew gets a token and sends it.
func (c *Client) renew() {
	l, before := c.link, c.token
	c.background.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, c.Timeout)
		defer cancel()
		token, err := c.Token(ctx)
		c.post(func() {
			switch {
			case c.link != l:
			case err == nil && token == before:
				c.notRenewed(errSameToken)
			case err != nil:
				c.notRenewed(err)
			default:
				c.authenticate(token)
			}
		})
	})
}

func (c *Client) authenticate(token string) {
	c.ask(request{Action: "authenticate", Token: token}, func(_ reply, err error) {
		switch {
		case err == nil:
			c.token = token
			c.renewLater()
		case temporary(err):
			c.notRenewed(err)
		default:
			c.cut(c.link, fmt.Errorf("authenticate: %w", err))
		}
	})
}
