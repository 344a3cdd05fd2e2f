package simulation

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"serverless-websocket/domain"
)

// What functions and their neighbors get wrong without failing: clocks, rows written by
// others, bodies that are not jobs.

// clock returns how far ahead the caller's clock is. It models two clocks that differ and
// one that is set back between two calls.
func (w *world) clock(name string) time.Duration {
	d := w.seed.of("clock", name)
	if !d.happens("wrong", w.plan.hazards.clocks) {
		return 0
	}
	w.fault("wrong clock")
	return pick(d, "by", -time.Hour, -20*time.Second, -time.Second, time.Second, 20*time.Second, time.Hour)
}

// seen returns a time as seen by a caller whose clock is ahead: the caller runs on the
// world's own time.
func seen(at time.Time, ahead time.Duration) time.Time { return at.Add(-ahead) }

var registration = regexp.MustCompile(`"at":\d+`)

// shifted moves the registrations in a job by d, except values that are not times.
func shifted(body string, d time.Duration) string {
	if d == 0 {
		return body
	}
	return registration.ReplaceAllStringFunc(body, func(member string) string {
		at, err := strconv.ParseInt(strings.TrimPrefix(member, `"at":`), 10, 64)
		if moved := at + d.Milliseconds(); err == nil && at > 0 && moved > 0 {
			return fmt.Sprintf(`"at":%d`, moved)
		}
		return member
	})
}

// foreign stores a row written by another program: its times may be in another unit, and
// the gateway may reject its id.
func (w *world) foreign(s seed, number int) {
	now := time.Now()
	row := domain.Connection{
		ID: domain.ConnectionID(fmt.Sprintf("foreign-%d", number)),
		RegisteredAt: pick(s, "registered", time.UnixMilli(0), now.Add(-time.Hour), now.Add(time.Hour),
			time.UnixMilli(now.UnixMicro()), time.UnixMilli(now.UnixNano())),
		ExpiresAt: now.Add(100 * 24 * time.Hour),
	}
	if err := w.store.rows.Put(context.Background(), row); err != nil {
		panic(err) // an embedded store does not fail
	}
	w.gateway.add(&client{id: row.ID, state: dead, rejected: s.happens("rejected", 0.6), got: map[domain.MessageID][]time.Time{}})
	w.fault("foreign row")
}

// nonsense puts a body that is not a job on one of the queues.
func (w *world) nonsense(s seed, number int) {
	time.Sleep(s.between("sent", firstMessage, lastMessage))
	body := pick(s, "body", "", "null", "{", `{"v":1}`, `{"v":1,"messages":[]}`, `{"v":2,"messages":[{}]}`) + strings.Repeat(" ", 1+number)
	q := pick(s, "queue", w.jobs, w.channelJobs, w.parts, w.retries)
	w.nonsenses.Store(body, true)
	q.add(&entry{id: fmt.Sprint("nonsense-", number), body: body, visibleAt: time.Now()})
	w.fault("body that is no job")
}

func (w *world) isNonsense(body string) bool {
	_, is := w.nonsenses.Load(body)
	return is
}

// checkNonsense: each body that is not a job has become a dead letter unchanged.
func (w *world) checkNonsense() {
	for body := range w.nonsenses.Range {
		w.checked("a body that is not a job becomes a dead letter unchanged", 1)
		if !slices.ContainsFunc(w.dead.entries, func(e *entry) bool { return e.body == body }) {
			w.broken("the body %q is not among the dead letters", body)
		}
	}
}

// denied reports whether posting is forbidden now.
func (g *gateway) denied() bool {
	h, since := g.hazards(), time.Since(g.start)
	return h.deniedFrom <= since && since < h.deniedFrom+h.denied
}

// vanished reports whether the gateway considers an open connection gone now.
func (c *client) vanished(since time.Duration) bool {
	return c.vanishes > 0 && c.vanishes <= since && since < c.vanishes+c.vanishesFor
}
