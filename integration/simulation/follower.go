package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"serverless-websocket/adapters/lambdaevent"
	clients "serverless-websocket/clients/go"
	"serverless-websocket/domain"
)

// follower follows the protocol for a client: it puts what comes into order, and asks for
// what is missing.
type follower struct {
	*world
	seed  seed
	user  string
	past  *lambdaevent.History
	rooms *lambdaevent.Rooms
	turn  chan struct{} // to resume: one at a time

	// The rest is guarded by the gateway's lock.
	inbox  *clients.Inbox
	starts map[string]domain.Position // the first position of each channel
	handed map[string][]string        // the ids that went on to the user
	lost   map[string]int             // of how many messages that a log ever had it is known that some are lost
	left   map[string]bool            // rooms
}

func newFollower(w *world, c *client) *follower {
	handlers := w.service.Handlers()
	return &follower{
		world: w, seed: w.seed.of("follower", c.id), user: c.user, past: handlers.History(), rooms: handlers.Rooms(), turn: make(chan struct{}, 1),
		inbox: clients.NewInbox(), starts: make(map[string]domain.Position), handed: make(map[string][]string), lost: make(map[string]int),
		left: make(map[string]bool),
	}
}

// receive takes a frame. The caller holds the gateway's lock.
func (f *follower) receive(got frame) {
	in := clients.Frame{Channel: got.Channel, Epoch: string(got.Epoch)}
	for _, m := range got.Messages {
		in.Messages = append(in.Messages, clients.Message{ID: string(m.ID), Seq: m.Seq, Content: m.Content})
	}
	f.take(f.inbox.Receive(in))
}

// take hands messages on. The caller holds the gateway's lock.
func (f *follower) take(all []clients.Event) {
	for _, e := range all {
		if f.left[e.Channel] {
			continue // an answer, or a message, to what was before
		}
		switch {
		case e.Lost == "":
			f.handed[e.Channel] = append(f.handed[e.Channel], e.Message.ID)
		case f.plan.forgetful:
			f.lost[e.Channel] = f.history.length(e.Channel, f.user)
		default:
			f.broken("messages of %s are lost: %s", e.Channel, e.Lost)
		}
	}
}

// follow resumes when the client's socket has opened, and when messages have been missing
// for a while.
func (f *follower) follow(c *client) {
	for try := 0; f.catchUp(c, fmt.Sprint("resumes ", try)) && time.Since(f.start) < lastChange; {
		for missing := false; !missing && time.Since(f.start) < lastChange; try++ {
			time.Sleep(f.seed.of("pause", try).between("of", 2*time.Second, 10*time.Second))
			f.note(func() { missing = f.inbox.Missing() || c.state != open })
		}
	}
}

// catchUp resumes until there is no more. It reports whether the service has answered.
func (f *follower) catchUp(c *client, what string) bool {
	f.turn <- struct{}{}
	defer func() { <-f.turn }()
	for n := 0; ; n++ {
		var positions map[string]string
		live := false
		f.note(func() { live, positions = c.state == open, f.inbox.Positions() })
		if !live {
			return false
		}
		answers, ok := f.resume(c, fmt.Sprint(what, " ", n), positions)
		more := false
		f.note(func() {
			if ok = ok && c.state == open; ok {
				more = f.resumed(answers)
			}
		})
		if !more {
			return ok
		}
	}
}

// resumed takes an answer. The caller holds the gateway's lock.
func (f *follower) resumed(answers map[string]clients.Answer) (more bool) {
	for name, a := range answers {
		if a.Error == nil && a.Recovered == nil {
			f.begins(name, a.Position)
		}
	}
	all, more := f.inbox.Resumed(answers)
	f.take(all)
	return more
}

func (f *follower) begins(channel, at string) {
	p, err := domain.ParsePosition(at)
	if err != nil {
		f.broken("the position of %s is %q", channel, at)
	}
	if _, known := f.starts[channel]; !known {
		f.starts[channel] = p
	}
}

// resume makes a request until it is answered.
func (f *follower) resume(c *client, what string, positions map[string]string) (map[string]clients.Answer, bool) {
	body, err := json.Marshal(map[string]any{"action": "resume", "positions": positions})
	if err != nil {
		panic(err) // strings alone
	}
	var reply struct{ Resumed map[string]clients.Answer }
	ok := f.asks(c, what, func(ctx context.Context) error {
		return f.asksFor(ctx, f.past.Handle, c.event("resume", string(body)), &reply)
	})
	return reply.Resumed, ok
}

// event returns the event of a frame that the client sends.
func (c *client) event(route, body string) (e events.APIGatewayWebsocketProxyRequest) {
	e.Body, e.RequestContext.RouteKey, e.RequestContext.ConnectionID = body, route, string(c.id)
	if c.user != "" {
		authorizer := map[string]any{"user": c.user}
		if !c.expires.IsZero() {
			authorizer["expiresAt"] = strconv.FormatInt(c.expires.Unix()+1, 10)
		}
		e.RequestContext.Authorizer = authorizer
	}
	return e
}

// joins asks to join a room. Without a position in the answer a resume will bring it.
func (f *follower) joins(ctx context.Context, c *client, room string) error {
	f.note(func() { f.inbox.Joining(room) })
	var reply struct{ Joined struct{ Position string } }
	if err := f.asksFor(ctx, f.rooms.Handle, c.event("joinRoom", fmt.Sprintf(`{"room":%q}`, room)), &reply); err != nil {
		return err
	}
	at := reply.Joined.Position
	if at == "" {
		return nil
	}
	due := false
	f.note(func() {
		f.begins("room:"+room, at)
		var all []clients.Event
		all, due = f.inbox.Joined(room, at)
		f.take(all)
	})
	if due {
		f.catchUp(c, "resumes in "+room)
	}
	return nil
}

// asksFor makes a request and reads its answer.
func (f *follower) asksFor(ctx context.Context, handle lambdaevent.Handler, e events.APIGatewayWebsocketProxyRequest, reply any) error {
	response, err := handle(ctx, e)
	switch {
	case err != nil || response.StatusCode == http.StatusServiceUnavailable:
		return domain.NewError(domain.Unavailable)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("%d %s", response.StatusCode, response.Body)
	}
	return json.Unmarshal([]byte(response.Body), reply)
}

// leaves notes that the client is about to leave a room. The caller holds the gateway's
// lock.
func (f *follower) leaves(room string) {
	f.left["room:"+room] = true
	f.inbox.Left(room)
}

// checkNumber checks that no number stands for two messages. The caller holds g.mu.
func (g *gateway) checkNumber(epoch domain.Epoch, seq int64, id domain.MessageID) {
	if g.history == nil {
		return
	}
	g.checked("a message has a number, which no other has", 1)
	at := domain.Position{Epoch: epoch, Seq: seq}
	if other, known := g.numbers[at]; seq == 0 || known && other != id {
		g.broken("%s is at %q in its log, and so is %s", id, at, other)
	}
	g.numbers[at] = id
}

// checkFollowers has all clients resume once more, and compares what they handed on with
// the logs.
func (w *world) checkFollowers() {
	if w.history == nil {
		return
	}
	for _, c := range w.clients {
		live := false
		w.note(func() { live = c.state == open && !c.expired() })
		if !live || !c.follower.catchUp(c, "resumes at last") {
			continue
		}
		for _, to := range c.reads() {
			w.checked("a client that follows the protocol gets each message once and in order", 1)
			c.follower.check(to)
		}
	}
}

// reads returns the channels of a client that is open.
func (c *client) reads() []domain.Recipients {
	all := []domain.Recipients{domain.ToEveryone()}
	if c.user != "" {
		all = append(all, domain.ToUser(c.user))
	}
	for _, v := range c.visitsTo {
		if !v.joined.IsZero() && v.left.IsZero() {
			all = append(all, domain.ToRoom(v.room))
		}
	}
	return all
}

// check compares what the client handed on with all that was ever in the channel's log,
// from the client's first position on. Where something is missing, the client must have
// been told.
func (f *follower) check(to domain.Recipients) {
	name := domain.ChannelName(to)
	begin, all := f.starts[name], f.history.ever[to]
	next := 1 + slices.IndexFunc(all, func(l logged) bool { return l.at == begin })
	if since, _, nothing := begin.Nothing(); nothing {
		next = sort.Search(len(all), func(i int) bool { return all[i].appended.After(since) })
	}
	known := make(map[string]bool)
	pass := func(to int) {
		for i := next; i < to; i++ {
			if !known[all[i].id] && i >= f.lost[name] {
				f.broken("a follower of %s misses %s at %s", name, all[i].id, all[i].at)
			}
		}
	}
	for _, id := range f.handed[name] {
		i := slices.IndexFunc(all[next:], func(l logged) bool { return l.id == id })
		switch {
		case known[id]:
			f.broken("a follower of %s gets %s twice", name, id)
		case i >= 0:
			pass(next + i)
			next += i + 1
		}
		known[id] = true
	}
	pass(len(all))
}
