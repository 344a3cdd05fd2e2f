package porttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// SubscriptionHarness makes the stores under test. For NewTable and Shared see
// StoreHarness.
type SubscriptionHarness struct {
	// NewTable also makes the store of the connections that subscribe.
	NewTable func(t *testing.T) (connections ports.ConnectionStore, open func(pageSize int) ports.SubscriptionStore)
	Shared   bool
}

// TestSubscriptionStore checks that the adapter fulfills the contract of
// ports.SubscriptionStore.
func TestSubscriptionStore(t *testing.T, h SubscriptionHarness) {
	cases := map[string]func(*subscriptionCase){
		"subscribe, replace and unsubscribe": (*subscriptionCase).one,
		"extend what is stored":              (*subscriptionCase).extend,
		"the subscriptions of a connection":  (*subscriptionCase).ofConnection,
		"names and ids pass unchanged":       (*subscriptionCase).names,
		"channels are apart":                 (*subscriptionCase).apart,
		"clear of none and of 60":            (*subscriptionCase).clear,
		"pages in order, one user together":  (*subscriptionCase).pages,
		"segments cover without overlap":     (*subscriptionCase).segments,
		"expired rows are left out":          (*subscriptionCase).expired,
		"rows deleted as they are read":      (*subscriptionCase).deleteBehind,
		"bad cursor and bad segment":         (*subscriptionCase).bad,
		"cancelled context":                  (*subscriptionCase).cancelled,
		"concurrent use":                     (*subscriptionCase).concurrent,
		"only with the connection's token":   (*subscriptionCase).token,
		"at most so many rooms":              (*subscriptionCase).limit,
		"many at the limit at once":          (*subscriptionCase).limitAtOnce,
		"all or nothing":                     (*subscriptionCase).allOrNothing,
	}
	if h.Shared {
		cases["cursor used by another instance"] = (*subscriptionCase).sharedCursor
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			connections, open := h.NewTable(t)
			ctx, cancel := context.WithTimeout(t.Context(), caseTimeout)
			t.Cleanup(cancel)
			run(&subscriptionCase{T: t, ctx: ctx, connections: connections, open: open, now: time.Now()})
		})
	}
}

// subscriptionCase is one case with its own table.
type subscriptionCase struct {
	*testing.T
	ctx         context.Context
	connections ports.ConnectionStore
	open        func(pageSize int) ports.SubscriptionStore
	now         time.Time
}

// manyRooms is more than any connection is in here, unless the case is about that.
const manyRooms = 10

var goals, chess = domain.ToRoom("goals"), domain.ToRoom("chess")

// live returns a subscription that does not expire during the test.
func (c *subscriptionCase) live(to domain.Recipients, user string, id domain.ConnectionID) domain.Subscription {
	return domain.Subscription{To: to, Connection: domain.Connection{
		ID: id, User: user, RegisteredAt: c.now, ExpiresAt: c.now.Add(2 * time.Hour),
	}}
}

// register stores connections.
func (c *subscriptionCase) register(all ...domain.Connection) {
	c.Helper()
	for _, one := range all {
		if err := c.connections.Put(c.ctx, one); err != nil {
			c.Fatal(err)
		}
	}
}

// subscribe registers the connections, and subscribes them.
func (c *subscriptionCase) subscribe(store ports.SubscriptionStore, all ...domain.Subscription) {
	c.Helper()
	for _, s := range all {
		c.register(s.Connection)
		if err := store.Subscribe(c.ctx, s, manyRooms); err != nil {
			c.Fatalf("Subscribe %+v: %v", s, err)
		}
	}
}

// crowd subscribes n users with two connections each and returns the ids.
func (c *subscriptionCase) crowd(store ports.SubscriptionStore, to domain.Recipients, n int) (ids []domain.ConnectionID) {
	c.Helper()
	for i := range n {
		for _, tab := range []string{"a", "b"} {
			id := domain.ConnectionID(fmt.Sprint(tab, i))
			c.subscribe(store, c.live(to, fmt.Sprint("user-", i), id))
			ids = append(ids, id)
		}
	}
	return ids
}

// read reads a segment of a channel to its end. After each page but the last it calls
// between, unless that is nil.
func (c *subscriptionCase) read(
	store ports.SubscriptionStore, to domain.Recipients, segment domain.Segment, between func(ports.Page),
) (rows []domain.Connection) {
	c.Helper()
	from := domain.Cursor("")
	for range maxPages {
		page, err := store.Subscribers(c.ctx, to, segment, from)
		if err != nil {
			c.Fatalf("Subscribers of %s in %+v from %q: %v", to, segment, from, err)
		}
		rows = append(rows, page.Connections...)
		if from = page.Next; from == "" {
			return rows
		}
		if between != nil {
			between(page)
		}
	}
	c.Fatalf("%s has not ended after %d pages", to, maxPages)
	return nil
}

// holds checks that these connections subscribe to the channel, each once.
func (c *subscriptionCase) holds(store ports.SubscriptionStore, to domain.Recipients, want ...domain.ConnectionID) {
	c.Helper()
	c.same(c.read(store, to, domain.Segment{}, nil), want)
}

func (c *subscriptionCase) same(rows []domain.Connection, want []domain.ConnectionID) {
	c.Helper()
	got := idsOf(rows)
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		c.Errorf("found\n%q, want\n%q", got, want)
	}
}

func (c *subscriptionCase) subscribed(store ports.SubscriptionStore, s domain.Subscription, want bool) {
	c.Helper()
	if got, err := store.Subscribed(c.ctx, s); err != nil || got != want {
		c.Errorf("Subscribed to %s: %v, %v; want %v", s.To, got, err, want)
	}
}

func (c *subscriptionCase) channels(store ports.SubscriptionStore, id domain.ConnectionID, want ...domain.Recipients) {
	c.Helper()
	var got, wanted []string
	subscriptions, err := store.Subscriptions(c.ctx, id)
	for _, s := range subscriptions {
		got = append(got, s.To.String())
	}
	for _, to := range want {
		wanted = append(wanted, to.String())
	}
	slices.Sort(got)
	slices.Sort(wanted)
	if err != nil || !slices.Equal(got, wanted) {
		c.Errorf("%q subscribes to %q, %v; want %q", id, got, err, wanted)
	}
}

// pages tries page size one, and channels that end at or next to a page boundary.
func (c *subscriptionCase) pages() {
	for _, size := range []int{1, 2, 5, 6, 7, 100} {
		store, to := c.open(size), domain.ToRoom(fmt.Sprint("size-", size))
		want := c.crowd(store, to, 3)
		rows := c.read(store, to, domain.Segment{}, func(page ports.Page) {
			if n := len(page.Connections); n > size {
				c.Errorf("page size %d: a page has %d rows", size, n)
			}
		})
		c.same(rows, want)
		if !slices.IsSortedFunc(rows, func(a, b domain.Connection) int {
			return strings.Compare(domain.Place(a.User), domain.Place(b.User))
		}) {
			c.Errorf("not in the order of the users' places: %+v", rows)
		}
	}
}

func (c *subscriptionCase) segments() {
	store := c.open(3)
	want := c.crowd(store, goals, 12)
	for _, total := range []int{1, 2, 7, 40} { // 40: more segments than users
		var found []domain.Connection
		for i := range total {
			found = append(found, c.read(store, goals, domain.Segment{Index: i, Total: total}, nil)...)
		}
		c.same(found, want)
	}
}

// expired has enough stale rows to fill whole pages.
func (c *subscriptionCase) expired() {
	store := c.open(2)
	for i := range 10 {
		s := c.live(goals, fmt.Sprint("stale-", i), domain.ConnectionID(fmt.Sprint("stale-", i)))
		s.Connection.ExpiresAt = c.now.Add(-time.Minute)
		c.subscribe(store, s)
	}
	c.holds(store, goals)
	c.subscribe(store, c.live(goals, "alice", "live"), c.live(goals, "stale-7", "stale-7"))
	c.holds(store, goals, "live", "stale-7")
}

// deleteBehind deletes the very rows that the cursor is at.
func (c *subscriptionCase) deleteBehind() {
	store := c.open(2)
	want := c.crowd(store, goals, 5)
	rows := c.read(store, goals, domain.Segment{}, func(page ports.Page) {
		if err := store.Clear(c.ctx, idsOf(page.Connections)...); err != nil {
			c.Fatal(err)
		}
	})
	c.same(rows, want)
}

// sharedCursor reads each page with a new instance.
func (c *subscriptionCase) sharedCursor() {
	want := c.crowd(c.open(2), goals, 5)
	var rows []domain.Connection
	var from domain.Cursor
	for range maxPages {
		page, err := c.open(2).Subscribers(c.ctx, goals, domain.Segment{}, from)
		if err != nil {
			c.Fatal(err)
		}
		rows = append(rows, page.Connections...)
		if from = page.Next; from == "" {
			break
		}
	}
	c.same(rows, want)
}

func (c *subscriptionCase) bad() {
	store := c.open(1)
	c.crowd(store, goals, 2)
	for _, from := range []domain.Cursor{"!", "not a cursor", "연결", "\x00", "{}", "e30=", domain.Cursor(strings.Repeat("~", 5000))} {
		if page, err := store.Subscribers(c.ctx, goals, domain.Segment{}, from); !errors.Is(err, ports.ErrBadCursor) {
			c.Errorf("from %.20q: %+v, %v, want ErrBadCursor", from, page, err)
		}
	}
	for _, segment := range []domain.Segment{{Index: -1, Total: 2}, {Index: 2, Total: 2}, {Index: 1}, {Total: -1}} {
		if _, err := store.Subscribers(c.ctx, goals, segment, ""); !errors.Is(err, ports.ErrBadCursor) {
			c.Errorf("segment %+v: %v, want ErrBadCursor", segment, err)
		}
	}
}

func (c *subscriptionCase) cancelled() {
	store, s, other := c.open(10), c.live(goals, "alice", "a"), c.live(goals, "bob", "b")
	c.subscribe(store, s)
	c.register(other.Connection)
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	_, subscribed := store.Subscribed(ctx, s)
	_, subscriptions := store.Subscriptions(ctx, "a")
	_, subscribers := store.Subscribers(ctx, goals, domain.Segment{}, "")
	for call, err := range map[string]error{
		"Subscribe": store.Subscribe(ctx, other, manyRooms), "Unsubscribe": store.Unsubscribe(ctx, s),
		"Subscribed": subscribed, "Subscriptions": subscriptions, "Subscribers": subscribers, "Clear": store.Clear(ctx, "a"),
	} {
		if !errors.Is(err, context.Canceled) {
			c.Errorf("%s under a cancelled context: %v, want context.Canceled", call, err)
		}
	}
	c.holds(store, goals, "a")
}

func (c *subscriptionCase) concurrent() {
	store := c.open(7)
	var kept []domain.ConnectionID
	var workers sync.WaitGroup
	for w := range 6 {
		mine := idsLike(fmt.Sprint("worker-", w), 6)
		kept = append(kept, mine[3:]...)
		for _, id := range mine {
			c.register(c.live(goals, "alice", id).Connection)
		}
		workers.Go(func() {
			for i, id := range mine {
				if err := store.Subscribe(c.ctx, c.live(goals, "alice", id), manyRooms); err != nil {
					c.Error(err)
				}
				if i < 3 {
					if err := store.Clear(c.ctx, id); err != nil {
						c.Error(err)
					}
				}
			}
		})
		workers.Go(func() {
			if _, err := store.Subscribers(c.ctx, goals, domain.Segment{}, ""); err != nil {
				c.Error(err)
			}
		})
	}
	workers.Wait()
	c.holds(store, goals, kept...)
}
