package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"serverless-websocket/adapters/memqueue"
	"serverless-websocket/domain"
	"serverless-websocket/domain/fanout"
	"serverless-websocket/ports"
)

var goals = domain.ToRoom("goals")

// queueJob puts a job with one message on the queue.
func (w *world) queueJob(job domain.Job, sender, to, content string) {
	w.t.Helper()
	m, err := domain.NewMessage(w.newID(time.Time{}), time.Now(), sender, domain.Content(content))
	if err != nil {
		w.t.Fatal(err)
	}
	m.To = to
	job.Messages = []domain.Message{m}
	if err := w.queue.Send(context.Background(), ports.QueueMessage{Body: job.Encode()}); err != nil {
		w.t.Fatal(err)
	}
}

// say queues a message from one user to another.
func (w *world) say(from, to, content string) {
	w.t.Helper()
	w.queueJob(domain.Job{To: domain.ToUser(to), Echo: true}, from, to, content)
}

func TestAMessageToARoomReachesItsMembersAlone(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.connect(5)
		w.subscribe(goals, "alice", "a1", "a2", "a3", "a4") // more than a page
		w.subscribe(goals, "bob", "b1")
		w.subscribe(domain.ToRoom("chess"), "eve", "e1")
		w.subscribe(domain.ToUser("goals"), "goals", "g1")
		w.queueJob(domain.Job{To: goals}, "alice", "", `1`)
		w.work()
		for _, id := range []domain.ConnectionID{"a1", "a2", "a3", "a4", "b1"} {
			w.wantGot(id, `1`)
		}
		for _, id := range []domain.ConnectionID{"c-0", "e1", "g1"} {
			w.wantGot(id)
		}
		if frame := w.poster.got["b1"][0]; !strings.HasSuffix(frame, `"sender":"alice"}],"channel":"room:goals"}`) {
			t.Errorf("the frame is %s", frame)
		}
	})(t)
}

func TestAMessageToAUserReachesBothSides(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.connect(2)
		for user, ids := range map[string][]domain.ConnectionID{"alice": {"a1", "a2"}, "bob": {"b1", "b2"}, "eve": {"e1"}} {
			w.subscribe(domain.ToUser(user), user, ids...)
		}
		w.say("alice", "bob", `"to bob"`)
		w.say("eve", "bob", `"also to bob"`)
		w.say("alice", "alice", `"to myself"`)
		w.say("alice", "nobody", `"to no one"`)
		w.work()
		for id, want := range map[domain.ConnectionID][]string{
			"a1": {`"to bob"`, `"to myself"`, `"to no one"`}, "a2": {`"to bob"`, `"to myself"`, `"to no one"`},
			"b1": {`"to bob"`, `"also to bob"`}, "b2": {`"to bob"`, `"also to bob"`},
			"e1": {`"also to bob"`}, "c-0": nil,
		} {
			got := w.poster.contents(t, id)
			slices.Sort(got)
			if !slices.Equal(got, slices.Sorted(slices.Values(want))) {
				t.Errorf("%s got %q, want %q", id, got, want)
			}
		}
		if frames := w.poster.got["b1"]; len(frames) != 1 || !strings.HasSuffix(frames[0], `"sender":"eve","to":"bob"}],"channel":"user"}`) {
			t.Errorf("bob got the frames %q", frames)
		}
	})(t)
}

// A redelivery repeats both sides, and its id is returned once.
func TestAConversationThatCannotBeReadComesAgain(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{MaxAttempts: 1})
		w.worker = fanout.New(fanout.Ports{
			Connections: w.store, Subscriptions: unreadable{w.subscribers}, Poster: w.poster,
			Parts: w.queue, Retries: w.queue, DeadLetters: refusing{},
		}, slog.New(slog.DiscardHandler), fanout.Options{MaxAttempts: 1})
		w.say("alice", "bob", `1`)
		messages := w.receive()
		if failed := w.handle(t.Context(), messages); len(failed) != 1 || failed[0] != messages[0].ID {
			t.Errorf("failed: %v", failed)
		}
	})(t)
}

// unreadable is a table of subscriptions that cannot be read.
type unreadable struct{ ports.SubscriptionStore }

func (unreadable) Subscribers(context.Context, domain.Recipients, domain.Segment, domain.Cursor) (ports.Page, error) {
	return ports.Page{}, fmt.Errorf("no table")
}

func TestAMemberThatIsGoneLeavesEverything(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		w.subscribe(goals, "alice", "a1", "a2")
		w.subscribe(domain.ToRoom("chess"), "alice", "a1")
		w.poster.answer["a1"] = always(ports.ErrGone)
		w.queueJob(domain.Job{To: goals}, "alice", "", `1`)
		w.work()
		left, err := w.subscribers.Subscriptions(t.Context(), "a1")
		if len(left) != 0 || err != nil || !slices.Equal(w.registered(), []domain.ConnectionID{"a2"}) {
			t.Errorf("a1 still has %+v, %v; registered: %v", left, err, w.registered())
		}
		if stays, err := w.subscribers.Subscriptions(t.Context(), "a2"); len(stays) != 1 || err != nil {
			t.Errorf("a2 has %+v, %v", stays, err)
		}
	})(t)
}

// What a failure leaves of it, at whatever row, goes with the next message to a channel.
func TestWhatIsLeftOfAMemberThatIsGoneIsFoundAgain(t *testing.T) {
	failing := errors.New("no table")
	for name, fail := range map[string]func(w *world, err error){
		"its row":           func(w *world, err error) { w.faultyStore.onDelete = func(context.Context) error { return err } },
		"its subscriptions": func(w *world, err error) { w.faultySubscribers.clear = err },
	} {
		t.Run(name, inBubble(func(t *testing.T) {
			w := newWorld(t, fanout.Options{})
			w.subscribe(goals, "alice", "a1", "a2")
			w.subscribe(domain.ToRoom("chess"), "alice", "a1")
			w.poster.answer["a1"] = always(ports.ErrGone)
			for _, err := range []error{failing, nil} {
				fail(w, err)
				w.queueJob(domain.Job{To: goals}, "alice", "", `1`)
				w.work()
				left, listed := w.subscribers.Subscriptions(t.Context(), "a1")
				if listed != nil || len(left) > 0 != (err != nil) {
					t.Errorf("after %v a1 has %+v, %v", err, left, listed)
				}
			}
			if !slices.Equal(w.registered(), []domain.ConnectionID{"a2"}) {
				t.Errorf("registered: %v", w.registered())
			}
		}))
	}
}

// What is left over of a room stays with the room's members, on the queue for rooms.
func TestALargeRoomIsSplitOnItsOwnQueue(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{})
		channels := memqueue.New(memqueue.Config{Visibility: time.Minute, ReceiveBytes: memqueue.DefaultMaxBytes})
		w.worker = fanout.New(fanout.Ports{
			Connections: w.store, Subscriptions: w.subscribers, Poster: w.poster,
			Parts: refusing{}, Channels: channels, Retries: w.queue, DeadLetters: refusing{},
		}, slog.New(slog.DiscardHandler), fanout.Options{ChannelParts: 3, ChannelPostsPerSecond: 1})
		var members []domain.ConnectionID
		for i := range 20 {
			id := domain.ConnectionID(fmt.Sprint("m", i))
			w.subscribe(goals, fmt.Sprint("user", i), id)
			members = append(members, id)
		}
		w.connect(2)
		w.queueJob(domain.Job{To: goals}, "user0", "", `1`)
		start := time.Now()
		w.work()
		if rested := time.Since(start); rested > 0 {
			t.Errorf("the worker rested for %v", rested)
		}
		if ready := channels.Depth().Ready; ready != 2 {
			t.Errorf("%d parts on the queue for rooms, want 2", ready)
		}
		w.queue = channels
		w.work()
		for _, id := range members {
			w.wantGot(id, `1`)
		}
		w.wantGot("c-0")
	})(t)
}

// A retry names its connection, whether or not that has left the room meanwhile, and
// ends on the queue of retries.
func TestAThrottledMemberIsTriedAgain(t *testing.T) {
	inBubble(func(t *testing.T) {
		w := newWorld(t, fanout.Options{Repeats: -1})
		w.subscribe(goals, "alice", "a1", "a2")
		w.poster.answer["a1"] = until(2, ports.ErrThrottled)
		w.queueJob(domain.Job{To: goals}, "alice", "", `1`)
		w.work()
		w.wantGot("a1", `1`)
		w.wantGot("a2", `1`)
	})(t)
}
