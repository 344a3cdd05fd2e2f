package simulation

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// postLimit is how long a post can take before its caller gives it up; that of the real
// poster.
const postLimit = 3 * time.Second

// longestWay is how long a post can be on its way to the gateway.
const longestWay = 15 * time.Millisecond

// gateway keeps the clients' sockets and answers posts to them.
type gateway struct {
	*world
	quota *bucket

	mu        sync.Mutex
	overQuota int // posts
	clients   map[domain.ConnectionID]*client
	messages  map[domain.MessageID]*message // all that were sent
	numbers   map[domain.Position]domain.MessageID
}

var (
	errUnavailable = errors.New("503")
	errForbidden   = fmt.Errorf("403: %w", ports.ErrRejected)
	errBadRequest  = fmt.Errorf("400: %w", ports.ErrRejected)
)

// frame is a payload as clients read it.
type frame struct {
	Messages []struct {
		ID      domain.MessageID
		Seq     int64
		Content json.RawMessage
	}
	Channel string
	Epoch   domain.Epoch
}

func (g *gateway) Prepare(payload []byte) (ports.Post, error) {
	if len(payload) > domain.MaxPayload {
		return nil, ports.ErrTooLarge
	}
	f := g.read(payload)
	return func(ctx context.Context, id domain.ConnectionID) error {
		return g.post(ctx, id, f)
	}, nil
}

func (g *gateway) Closing() ports.Post {
	return func(ctx context.Context, id domain.ConnectionID) error {
		call := callerOf(ctx).call(fmt.Sprint("close ", id))
		d := g.seed.of("close", call)
		if err := travel(ctx, d.between("there", time.Millisecond, longestWay)); err != nil {
			return err
		}
		err := g.close(d, id)
		g.event("close", call, err)
		return cmp.Or(travel(ctx, d.between("back", time.Millisecond, 15*time.Millisecond)), err)
	}
}

// close decides the outcome of a closing that has reached the gateway.
func (g *gateway) close(d seed, id domain.ConnectionID) error {
	g.checked("none but the connections of expired tokens are closed", 1)
	if !g.expired(id) {
		g.broken("%s is closed, whose token has not expired", id)
	}
	unavailable := d.happens("unavailable", g.hazards().unavailable)
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.clients[id]
	switch {
	case !g.healed.Load() && !g.quota.take():
		g.overQuota++
		return ports.ErrThrottled
	case g.denied():
		return errForbidden
	case c.state != open:
		return ports.ErrGone
	case unavailable:
		return errUnavailable
	}
	c.state = dead
	return nil
}

// read reads a payload and compares its messages with those that were sent.
func (g *gateway) read(payload []byte) frame {
	var f frame
	if err := json.Unmarshal(payload, &f); err != nil {
		g.broken("a frame is not JSON: %v", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, m := range f.Messages {
		if g.messages[m.ID].content != string(m.Content) {
			g.broken("message %s was changed on its way", m.ID)
		}
		if before := f.Messages[max(0, i-1)]; i > 0 && (m.Seq < before.Seq || m.Seq == before.Seq && m.ID <= before.ID) {
			g.broken("message %s comes after %s in a frame", m.ID, before.ID)
		}
		g.checkNumber(f.Epoch, m.Seq, m.ID)
	}
	return f
}

func (g *gateway) post(ctx context.Context, id domain.ConnectionID, f frame) error {
	call := callerOf(ctx).call(fmt.Sprint("post ", f.Messages[0].ID, " to ", id))
	d := g.seed.of("post", call)
	there := d.between("there", time.Millisecond, longestWay)
	if err := travel(ctx, there); err != nil {
		return err
	}
	delivered, err := g.arrive(d, id, f)
	g.event("post", call, err)
	if id == ports.Nobody {
		return cmp.Or(travel(ctx, d.between("back", time.Millisecond, 15*time.Millisecond)), err)
	}
	back := g.answerTime(d, id)
	if limit := d.between("limit", postLimit-50*time.Millisecond, postLimit); there+back > limit {
		back, err = limit-there, context.DeadlineExceeded
		g.fault("post timed out")
	}
	err = cmp.Or(travel(ctx, back), err)
	g.answered(id, f, delivered, err)
	return err
}

// arrive decides the outcome of a post that has reached the gateway.
func (g *gateway) arrive(d seed, id domain.ConnectionID, f frame) (delivered bool, err error) {
	h := g.hazards()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.healed.Load() && !g.quota.take() {
		g.overQuota++
		g.fault("post over the quota")
		return false, ports.ErrThrottled
	}
	if g.denied() {
		g.fault("post without permission")
		return false, errForbidden
	}
	if id == ports.Nobody {
		return false, ports.ErrGone
	}
	c := g.clients[id]
	spared := g.plan.kind == prompt && !c.slow // only the slow ones have trouble
	switch {
	case c.rejected:
		g.fault("id rejected")
		return false, errBadRequest
	case c.state != open:
		return false, ports.ErrGone
	case !g.healed.Load() && c.vanished(time.Since(g.start)):
		g.fault("open connection called gone")
		return false, ports.ErrGone
	case c.clogged && !spared && d.happens("throttled", h.throttled):
		g.fault("client throttled")
		return false, ports.ErrThrottled
	case !spared && d.happens("unavailable", h.unavailable):
		g.fault("gateway unavailable")
		return false, errUnavailable
	}
	for _, m := range f.Messages {
		sent := g.messages[m.ID]
		g.checkRecipient(c, sent)
		c.got[sent.id] = append(c.got[sent.id], time.Now())
	}
	if c.follower != nil {
		c.follower.receive(f)
	}
	if d.happens("unknown", h.unknown) {
		g.fault("answer lost")
		return true, errUnavailable
	}
	return true, nil
}

// checkRecipient checks that the client may get a message. The caller holds g.mu.
func (g *gateway) checkRecipient(c *client, sent *message) {
	g.checked("a message reaches none but its recipients", 1)
	if !c.mayGet(sent.to) && !c.echoes(sent) {
		g.broken("%s of %q got %s, which is for %s", c.id, c.user, sent.id, sent.to)
	}
	if c.expires.IsZero() {
		return
	}
	g.checked("no one gets a message that was sent after the token had expired", 1)
	if !sent.sentAt.Before(c.expires) {
		g.broken("%s got %s, which was sent after its token had expired", c.id, sent.id)
	}
}

func (g *gateway) answerTime(d seed, id domain.ConnectionID) time.Duration {
	if most := g.hazards().answerWithin; most > 0 && g.clients[id].slow {
		return d.between("back slowly", most/2, most)
	}
	return d.between("back", time.Millisecond, 15*time.Millisecond)
}

// answered records what the caller knows now, and what it does not.
func (g *gateway) answered(id domain.ConnectionID, f frame, delivered bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.clients[id]
	if delivered && err != nil {
		c.unknown++
	}
	if !errors.Is(err, ports.ErrGone) && !errors.Is(err, ports.ErrRejected) {
		return
	}
	if c.goneAt.IsZero() {
		c.goneAt, c.gone = time.Now(), make(map[domain.MessageID]int)
	}
	for _, m := range f.Messages {
		if errors.Is(err, ports.ErrGone) { // a rejection leads to more posts, and may count as a failure
			c.gone[g.messages[m.ID].id]++
		}
	}
}

// add makes a client known before it connects.
func (g *gateway) add(c *client) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clients[c.id] = c
}

// settle moves a client's socket on.
func (g *gateway) settle(c *client, to state) {
	g.event("socket", c.id, to)
	g.mu.Lock()
	defer g.mu.Unlock()
	c.state = to
	if to == open {
		c.openedAt = time.Now()
	}
}

func (g *gateway) registering(c *client) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.rowAt = time.Now()
}

func (g *gateway) registered(c *client) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.registeredAt = time.Now()
}

// confirmed reports whether a post found the client gone long enough ago for its
// row to be pruned.
func (g *gateway) confirmed(id domain.ConnectionID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.clients[id].goneAt
	return !at.IsZero() && time.Since(at) >= freshFor
}

// live reports whether the client's socket is open or about to open.
func (g *gateway) live(id domain.ConnectionID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.clients[id].state != dead
}

// tokenOf returns when the token of a connection expires; zero for never.
func (g *gateway) tokenOf(id domain.ConnectionID) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c, ok := g.clients[id]; ok {
		return c.expires
	}
	return time.Time{}
}

// expired reports whether the token of a connection is not valid any more.
func (g *gateway) expired(id domain.ConnectionID) bool {
	token := g.tokenOf(id)
	return !token.IsZero() && !time.Now().Before(token)
}

// sent makes a message known under an id, so that frames can be checked against it.
func (g *gateway) sent(m *message, id domain.MessageID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m.ids = append(m.ids, id)
	g.messages[id] = m
}
