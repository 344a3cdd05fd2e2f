package memqueue

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"serverless-websocket/ports"
)

// TestModel compares the queue with a model simple enough to verify by reading: a list of
// messages, scanned from end to end at every step.
func TestModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A bubble forbids some methods of *testing.T that rapid looks for.
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) {
			m := newModel(rapid.IntRange(1, 3).Draw(t, "max receives"))
			t.Repeat(map[string]func(*rapid.T){
				"send":              m.send,
				"receive":           m.receive,
				"delete":            m.delete,
				"change visibility": m.changeVisibility,
				"wait":              m.wait,
				"":                  m.check,
			})
		})
	})
}

const modelVisibility = 5 * time.Second

// item is a message as the model sees it.
type item struct {
	body      string
	visibleAt time.Time
	turn      int // in which visibleAt was set; decides between equals
	receives  int
	receipt   string
}

type model struct {
	queue, dead *Queue
	maxReceives int
	items       []*item
	buried      []string
	receipts    []string // all that were ever handed out
	turn        int
}

func newModel(maxReceives int) *model {
	dead := New(Config{})
	return &model{
		queue: New(Config{
			Visibility: modelVisibility, MaxReceives: maxReceives, DeadLetters: dead, Log: quietLog(),
		}),
		dead:        dead,
		maxReceives: maxReceives,
	}
}

func (m *model) set(i *item, visibleIn time.Duration) {
	m.turn++
	i.turn, i.visibleAt = m.turn, time.Now().Add(visibleIn)
}

func (m *model) send(t *rapid.T) {
	i := &item{body: fmt.Sprint("message-", m.turn)}
	m.set(i, seconds(t, "delay", 4))
	m.items = append(m.items, i)
	delay := time.Until(i.visibleAt)
	if err := m.queue.Send(context.Background(), ports.QueueMessage{Body: i.body, Delay: delay}); err != nil {
		t.Fatal(err)
	}
}

// visible returns what is visible now, in the order in which it became so.
func (m *model) visible() []*item {
	var found []*item
	for _, i := range m.items {
		if !i.visibleAt.After(time.Now()) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b *item) int {
		if order := a.visibleAt.Compare(b.visibleAt); order != 0 {
			return order
		}
		return a.turn - b.turn
	})
	return found
}

func (m *model) receive(t *rapid.T) {
	want := m.visible()
	if len(want) == 0 {
		t.Skip("nothing to receive")
	}
	limit := rapid.IntRange(1, 5).Draw(t, "limit")
	want = want[:min(limit, len(want))]
	batch := receive(t, m.queue, limit)
	if len(batch) != len(want) {
		t.Fatalf("received %q, want %d messages", bodiesOf(batch), len(want))
	}
	for n, i := range want {
		i.receives++
		i.receipt = batch[n].Receipt
		m.receipts = append(m.receipts, i.receipt)
		m.set(i, modelVisibility)
		if batch[n].Body != i.body || batch[n].ReceiveCount != i.receives {
			t.Errorf("received %+v, want %+v", batch[n], i)
		}
	}
}

func (m *model) anyReceipt(t *rapid.T) string {
	if len(m.receipts) == 0 {
		t.Skip("nothing was received")
	}
	return rapid.SampledFrom(m.receipts).Draw(t, "receipt")
}

func (m *model) delete(t *rapid.T) {
	receipt := m.anyReceipt(t)
	m.queue.Delete(receipt)
	m.items = slices.DeleteFunc(m.items, func(i *item) bool { return i.receipt == receipt })
}

func (m *model) changeVisibility(t *rapid.T) {
	receipt := m.anyReceipt(t)
	after := seconds(t, "after", 8)
	m.queue.ChangeVisibility(after, receipt)
	for _, i := range m.items {
		if i.receipt == receipt && i.visibleAt.After(time.Now()) {
			m.set(i, after)
		}
	}
	m.bury()
}

func (m *model) wait(t *rapid.T) {
	time.Sleep(seconds(t, "wait", 7))
	m.bury()
}

// bury removes messages that have become visible after too many receives.
func (m *model) bury() {
	for _, i := range m.visible() {
		if i.receives >= m.maxReceives {
			m.buried = append(m.buried, i.body)
			m.items = slices.DeleteFunc(m.items, func(other *item) bool { return other == i })
		}
	}
}

func (m *model) check(t *rapid.T) {
	var want Depth
	for _, i := range m.items {
		switch {
		case !i.visibleAt.After(time.Now()):
			want.Ready++
		case i.receives == 0:
			want.Delayed++
		default:
			want.InFlight++
		}
	}
	wantDepth(t, m.queue, want)
	wantDepth(t, m.dead, Depth{Ready: len(m.buried)})
}

// seconds draws a time in whole seconds, so that times often coincide.
func seconds(t *rapid.T, label string, longest int) time.Duration {
	return time.Duration(rapid.IntRange(0, longest).Draw(t, label)) * time.Second
}
