package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	client "serverless-websocket/clients/go"
	"serverless-websocket/domain"
)

// follower is a reference client, what it has told and what it has sent.
type follower struct {
	*client.Client
	hour *hour
	name string // of this client; one user can have several
	user string
	stop func() // returns when nothing more is told

	// The channels with all that was sent while the client was there.
	channels map[string]domain.Recipients

	mu     sync.Mutex // guards the rest
	events map[string][]client.Event
	visits []int // how many events of the lobby had come at the end of each
	errors []string
	sent   map[string][]*outgoing
}

// outgoing is a message that is sent until it is accepted.
type outgoing struct {
	content  string
	accepted bool
	repeats  int // attempts after one of which nobody knows whether it was accepted
}

// follow runs a client of a user.
func (h *hour) follow(name, user string, rooms ...string) *follower {
	f := &follower{hour: h, name: name, user: user, events: map[string][]client.Event{}, sent: map[string][]*outgoing{}}
	f.channels = map[string]domain.Recipients{"everyone": domain.ToEveryone(), "user": domain.ToUser(user)}
	for _, room := range rooms {
		f.channels["room:"+room] = domain.ToRoom(room)
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return h.network.dial(ctx, name) }}
	f.Client = client.New(client.Options{
		URL: "ws://service", Token: f.token, Rooms: rooms, HTTPClient: &http.Client{Transport: transport},
		OnMessage: f.see, OnError: f.tell,
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = f.Run(ctx) // the error is that of ctx
		transport.CloseIdleConnections()
	}()
	f.stop = func() {
		stop()
		<-ended
	}
	return f
}

func (f *follower) see(e client.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events[e.Channel] = append(f.events[e.Channel], e)
}

func (f *follower) tell(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errors = append(f.errors, time.Now().Format(time.TimeOnly)+" "+err.Error())
}

// erin is the name of the client that only listens. A request of its own would show it
// that its connection is dead; only a resume does.
const erin = "erin"

// token is mostly a new one, which lives for some minutes. Providers of tokens fail too.
func (f *follower) token(ctx context.Context) (string, error) {
	life := time.Duration(f.hour.network.number(61, 900)) * time.Second
	if f.name == erin {
		life = 24 * time.Hour
	}
	if f.hour.faulty.Load() {
		switch f.hour.network.number(0, 9) {
		case 0:
			return "", errors.New("no token")
		case 1:
			<-ctx.Done()
			return "", ctx.Err()
		case 2:
			life = -time.Minute
		}
	}
	claims := jwt.MapClaims{"sub": f.user, "exp": time.Now().Add(life).Unix(), "jti": f.hour.network.number(0, 1<<40)}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(hourSecret))
}

// visit joins the lobby and leaves it, again and again.
func (f *follower) visit() {
	const lobby = "lobby"
	for !f.hour.over.Load() {
		err := f.Join(context.Background(), lobby)
		f.hour.network.wait(0, 5*time.Minute)
		if err == nil {
			err = f.Leave(context.Background(), lobby)
		}
		if err != nil {
			f.tell(fmt.Errorf("lobby: %w", err))
		}
		f.hour.network.wait(time.Second, time.Minute)
		f.mu.Lock()
		f.visits = append(f.visits, len(f.events["room:"+lobby]))
		f.mu.Unlock()
	}
}

// send sends messages, which come back in a channel, one after the other until the hour is
// over.
func (f *follower) send(channel string, m client.Outgoing) {
	for n := 1; !f.hour.over.Load(); n++ {
		m.Ref = fmt.Sprintf("%s %d of %s", channel, n, f.name)
		one := &outgoing{content: m.Ref + f.hour.padding()}
		f.mu.Lock()
		f.sent[channel] = append(f.sent[channel], one)
		f.mu.Unlock()
		m.Content = one.content
		f.sendOne(m, one)
		f.hour.rest()
	}
}

// padding makes a message long now and then: longer than a frame, or than an answer to a
// resume.
func (h *hour) padding() string {
	if h.network.number(1, 20) > 1 {
		return ""
	}
	return " " + strings.Repeat("서버리스", h.network.number(1, 5_000))
}

// rest is between two messages of a sender.
func (h *hour) rest() {
	h.network.wait(0, 20*time.Second)
	time.Sleep(time.Until(time.Unix(0, h.quiet.Load())))
}

// sendOne sends a message until it is accepted. If nobody knows whether it was, it goes on
// with any client of the user, as with one that was started anew.
func (f *follower) sendOne(m client.Outgoing, one *outgoing) {
	from := f
	for time.Since(f.hour.began) < patience {
		if m.Again {
			one.repeats++
			from = f.hour.clientOf(f.user)
		}
		_, err := from.Send(context.Background(), m)
		if err == nil {
			one.accepted = true
			return
		}
		m.Again = m.Again || unanswered(err)
		f.hour.network.wait(100*time.Millisecond, 5*time.Second)
	}
}

// clientOf returns any client of a user.
func (h *hour) clientOf(user string) *follower {
	all := slices.DeleteFunc(slices.Clone(h.followers), func(f *follower) bool { return f.user != user })
	return all[h.network.number(0, len(all)-1)]
}

// unanswered reports whether the message may have been accepted nevertheless.
func unanswered(err error) bool {
	var e *client.Error
	return errors.As(err, &e) && (e.Code == client.ErrUnanswered.Code || e.Code == "unavailable")
}
