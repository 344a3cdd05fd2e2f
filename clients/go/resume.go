package client

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// resume asks for what was missed. There is one such request at a time.
func (c *Client) resume() {
	l := c.link
	switch {
	case l.resuming:
		l.again = true
		return
	case l.busy: // a repair will
		l.failed = true
		return
	}
	l.resuming, l.again = true, false
	c.ask(request{Action: "resume", Positions: c.inbox.Positions()}, c.resumed)
	c.keepAliveLater()
}

// keepAliveLater resumes long before the service closes an idle connection: that also
// brings a last message that was lost.
func (c *Client) keepAliveLater() {
	if c.link.keepAlive != nil {
		c.link.keepAlive.stop()
	}
	wait := 8*time.Minute + time.Duration(c.random()*float64(time.Minute))
	c.link.keepAlive = c.after(wait, c.resume)
}

// resumed takes the answer to a resume.
func (c *Client) resumed(answer reply, err error) {
	l := c.link
	l.resuming = false
	if err != nil {
		c.notResumed(err)
		c.watch()
		return
	}
	c.answered(true)
	for _, name := range slices.Sorted(maps.Keys(answer.Resumed)) {
		if !c.wants(name) {
			delete(answer.Resumed, name) // left meanwhile
			continue
		}
		c.check(name, answer.Resumed[name].Error)
	}
	if c.crowded() {
		c.postpone(answer.Resumed)
	}
	events, more := c.inbox.Resumed(answer.Resumed)
	c.events = append(c.events, events...)
	if more && c.crowded() {
		c.fallBehind()
		more = false
	}
	if more || l.again {
		c.resume()
	}
	c.watch()
}

// postpone removes the answers that have messages. Their channels wait for the next answer.
func (c *Client) postpone(answers map[string]Answer) {
	for name, a := range answers {
		if len(a.Messages) > 0 {
			delete(answers, name)
			c.fallBehind()
		}
	}
}

// settled is how long a connection has to live before the waits between connections start
// over.
const settled = 30 * time.Second

// answered notes that the service has answered to a resume.
func (c *Client) answered(keeps bool) {
	if !c.link.answered {
		c.after(settled, func() { c.tries = 0 })
	}
	c.link.answered, c.link.keeps, c.doubted = true, keeps, false
}

// notResumed takes the refusal of a resume. A service that keeps no messages sends live
// ones.
func (c *Client) notResumed(err error) {
	if hasCode(err, "no_history") {
		c.answered(false)
		return
	}
	c.link.tryLater(err)
	c.link.busy = retryAfter(err) > 0
	c.tell(fmt.Errorf("resume: %w", err))
}

// tryLater notes that a request failed, and how long the service wants to be left alone.
func (l *link) tryLater(err error) {
	l.failed = true
	if wait := retryAfter(err); wait > l.told {
		l.told = wait
		if l.repair != nil { // it may be too early
			l.repair.stop()
			l.repair = nil
		}
	}
}

// check looks whether a channel was refused.
func (c *Client) check(channel string, err *Error) {
	name, isRoom := strings.CutPrefix(channel, "room:")
	switch {
	case err == nil:
		if isRoom {
			c.rooms[name].rejoins = 0
		}
	case !isRoom:
		c.tell(fmt.Errorf("%s: %w", channel, err))
	case c.rooms[name].refused, c.rooms[name].asked: // until the next connection, or the answer about the room
	case c.mayLater(err):
		c.shutOut(name, err)
	case err.Code == "not_a_member":
		c.rejoin(name)
	default:
		c.refused(name, err)
	}
}

// watch sees to it that the client resumes when something is missing for a while.
func (c *Client) watch() {
	l := c.link
	if l == nil || !l.live || l.resuming {
		return
	}
	due := l.failed || l.keeps && c.inbox.Missing()
	switch {
	case due && l.repair == nil:
		l.repair = c.after(max(pause(c.random(), l.repairs), later(l.told, c.random())), c.tryAgain)
	case !due && l.repair != nil:
		l.repair.stop()
		l.repair = nil
	}
	if !due {
		l.repairs = 0
	}
}

// tryAgain makes the requests again that were not answered well, and resumes.
func (c *Client) tryAgain() {
	l := c.link
	l.repair, l.failed, l.told, l.busy = nil, false, 0, false
	l.repairs++
	for _, name := range slices.Sorted(maps.Keys(c.rooms)) {
		c.settle(name)
	}
	c.resume()
}

// maxPause limits how long the client waits before it tries again.
const maxPause = 5 * time.Minute

// pause is a random time of 2 to 10 seconds, which doubles with each try.
func pause(random float64, tries int) time.Duration {
	wait := 2*time.Second + time.Duration(random*float64(8*time.Second))
	return min(wait<<min(tries, 10), maxPause)
}

// later adds up to a half to a wait that the service has set, so that clients do not keep in
// step.
func later(wait time.Duration, random float64) time.Duration {
	return wait + time.Duration(random*float64(wait)/2)
}

// retryAfter returns how long the service wants the client to wait, within reason.
func retryAfter(err error) time.Duration {
	var e *Error
	if !errors.As(err, &e) {
		return 0
	}
	return time.Duration(min(e.RetryAfter, int(maxPause/time.Second))) * time.Second
}

// temporary reports whether the service may accept the same request later.
func temporary(err error) bool { return hasCode(err, "unavailable") || hasCode(err, "internal") }

func hasCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
