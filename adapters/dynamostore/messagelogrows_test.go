package dynamostore_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/domain"
	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/ports"
)

// rows returns all that is in the table, in order.
func (l *logTable) rows() []map[string]types.AttributeValue {
	l.Helper()
	out, err := awslocal.DynamoDB(l).Scan(l.Context(), &dynamodb.ScanInput{TableName: &l.name})
	if err != nil {
		l.Fatal(err)
	}
	return out.Items
}

func (l *logTable) put(item map[string]types.AttributeValue) {
	l.Helper()
	if _, err := awslocal.DynamoDB(l).PutItem(l.Context(), &dynamodb.PutItemInput{TableName: &l.name, Item: item}); err != nil {
		l.Fatal(err)
	}
}

// epoch returns that of the newest message.
func (l *logTable) epoch() domain.Epoch {
	l.Helper()
	end, err := l.open().End(l.Context(), goals)
	if err != nil {
		l.Fatal(err)
	}
	return end.Epoch
}

func (l *logTable) at(seq int64) domain.Position { return domain.Position{Epoch: l.epoch(), Seq: seq} }

// refuses checks the error of After.
func (l *logTable) refuses(from domain.Position, want error) {
	l.Helper()
	if s, err := l.open().After(l.Context(), goals, from, 1<<20); !errors.Is(err, want) {
		l.Errorf("After %q: %d messages, %v; want %v", from, len(s.Messages), err, want)
	}
}

// precede checks the numbers before a position.
func (l *logTable) precede(before domain.Position, want ...int64) {
	l.Helper()
	s, err := l.open().Before(l.Context(), goals, before, 100, 1<<30)
	var got []int64
	for _, m := range s.Messages {
		got = append(got, m.Seq)
	}
	if err != nil || s.More || !slices.Equal(got, want) {
		l.Errorf("Before %q: %d, more: %v, %v; want %d", before, got, s.More, err, want)
	}
}

func numberIn(value types.AttributeValue) (n int64) {
	if value, ok := value.(*types.AttributeValueMemberN); ok {
		_, _ = fmt.Sscan(value.Value, &n)
	}
	return n
}

// TestLogRows pins what other readers of the table and its TTL rely on.
func TestLogRows(t *testing.T) {
	l := newLogTable(t)
	at := time.UnixMilli(1_700_000_000_123)
	l.clock.ahead.Store(int64(time.Until(at)))
	mine := l.messages(2)
	mine[0].To = "bob"
	mine[0].Ref, mine[1].Ref, mine[1].Again = "r1", "r2", true
	before := l.clock.now()
	l.append(l.open(), false, mine...)
	row := l.rows()[0]
	if text := row["channel"].(*types.AttributeValueMemberS).Value; text != "room:goals" {
		t.Errorf("the channel is %q", text)
	}
	if epoch := domain.Epoch(row["epoch"].(*types.AttributeValueMemberS).Value); len(epoch) != 8 || epoch != l.epoch() {
		t.Errorf("the epoch is %q", epoch)
	}
	appended, valid := numberIn(row["at"]), numberIn(row["valid_until"])
	if d := time.UnixMilli(appended).Sub(before).Abs(); d > patience {
		t.Errorf("appended at %d", appended)
	}
	if want := time.UnixMilli(appended).Add(time.Hour).Unix() + 1; valid != want || numberIn(row["expires_at"]) != want+24*60*60 {
		t.Errorf("valid until %d, want %d; expires_at %v", valid, want, row["expires_at"])
	}
	if numberIn(row["seq"]) != 1 || numberIn(row["end"]) != 2 || len(row) != 8 {
		t.Errorf("the row is %v", slices.Sorted(maps.Keys(row)))
	}
	body := row["messages"].(*types.AttributeValueMemberB).Value
	second := fmt.Sprintf("\x1a%s\x05alice\x00\x03+r2%c%s", mine[1].ID, len(mine[1].Content), mine[1].Content)
	if body[0] != 1 || !strings.HasSuffix(string(body), second) || !strings.Contains(string(body), "\x05alice\x03bob\x03=r1") {
		t.Errorf("the messages are %q", body)
	}
}

// A process whose retention is shorter, or whose clock is behind, shortens no log.
func TestNoRowExpiresBeforeTheOneInFrontOfIt(t *testing.T) {
	l := newLogTable(t)
	l.append(l.open(), false, l.messages(1)...)
	l.opts.Retention = time.Minute
	l.append(l.open(), false, l.messages(1)...)
	l.clock.pass(-time.Hour)
	log := l.open()
	l.append(log, false, l.messages(1)...)
	l.append(log, false, l.messages(1)...)
	first := l.rows()[0]
	for i, row := range l.rows() {
		for _, name := range []string{"valid_until", "expires_at"} {
			if numberIn(row[name]) != numberIn(first[name]) {
				t.Errorf("row %d has the %s %d, want %d", i+1, name, numberIn(row[name]), numberIn(first[name]))
			}
		}
	}
}

// DynamoDB deletes rows that have expired in any order.
func TestRowsAreMissing(t *testing.T) {
	l := newLogTable(t)
	l.append(l.open(), false, l.messages(2)...)
	l.append(l.open(), false, l.messages(3)...) // 3 to 5
	l.append(l.open(), false, l.messages(2)...)
	l.delete(3)
	l.refuses(l.at(1), ports.ErrExpired)
	l.refuses(l.at(2), ports.ErrExpired)
	l.refuses(l.at(3), ports.ErrExpired)
	l.refuses(l.at(4), ports.ErrExpired)
	l.refuses(l.at(5), ports.ErrExpired) // it is not known to be the last that is missing
	l.refuses(l.at(8), ports.ErrReset)
	l.precede(domain.Position{}, 6, 7)
	l.precede(l.at(6))
	l.precede(l.at(5))
	l.precede(l.at(3), 1, 2)
	if s, err := l.open().After(t.Context(), goals, l.at(6), 100); err != nil || len(s.Messages) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	l.delete(1)
	l.refuses(l.at(1), ports.ErrExpired)
	l.refuses(domain.Position{Epoch: "another", Seq: 1}, ports.ErrReset)
}

// A client that has the last message before all expired misses nothing, as long as it is
// known that no row was deleted: TTL does that in any order.
func TestAfterTheLastThatHasExpired(t *testing.T) {
	l := newLogTable(t)
	l.append(l.open(), false, l.messages(2)...)
	l.append(l.open(), false, l.messages(3)...) // 3 to 5
	at2, at4, at5 := l.at(2), l.at(4), l.at(5)
	l.expire()
	s, err := l.open().After(t.Context(), goals, at5, 100)
	if _, _, nothing := s.Position.Nothing(); err != nil || len(s.Messages) > 0 || !nothing {
		t.Errorf("after the last: %+v, %v", s, err)
	}
	l.refuses(at2, ports.ErrExpired)
	l.refuses(at4, ports.ErrExpired)
	next := l.fill(2)
	s, err = l.open().After(t.Context(), goals, at5, 100)
	if err != nil || len(s.Messages) != 2 || s.Messages[0].ID != next[0].ID || s.Epoch == at5.Epoch || s.Position != l.at(7) {
		t.Errorf("after the last, in another epoch: %+v, %v", s, err)
	}
	l.delete(6)
	l.refuses(at5, ports.ErrExpired)
	l.clock.pass(24 * time.Hour) // TTL can delete any of them now
	l.delete(3)
	l.delete(7)
	l.refuses(at2, ports.ErrExpired)
}

// Clocks differ: a reader meets rows of two epochs, of which it thinks none has expired.
func TestAnEpochThatBeganEarly(t *testing.T) {
	l := newLogTable(t)
	l.fill(3)
	old := l.epoch()
	l.expire()
	all := l.fill(2)
	l.clock.pass(-l.opts.Retention)
	if l.epoch() == old {
		t.Fatal("the epoch is the old one")
	}
	l.holds(all...)
	l.precede(domain.Position{}, 4, 5)
	l.precede(l.at(4))
	for seq := range int64(3) {
		l.refuses(domain.Position{Epoch: old, Seq: seq + 1}, ports.ErrExpired)
		l.refuses(l.at(seq+1), ports.ErrReset)
	}
	l.refuses(domain.Position{Epoch: old, Seq: 4}, ports.ErrReset)
}

// Rows that have expired are there for days. The oldest that is kept is found between
// them and the end.
func TestManyExpiredRows(t *testing.T) {
	l := newLogTable(t)
	l.fill(150)
	l.clock.pass(l.opts.Retention / 2)
	all := l.fill(50)
	l.clock.pass(l.opts.Retention/2 + 2*time.Second)
	for _, missing := range []int64{0, 1, 150, 149, 100, 75} { // deleted one after the other
		l.delete(missing)
		log := l.behind(nil)
		place, err := log.End(t.Context(), domain.ToRoom("quiet"))
		if err != nil {
			t.Fatal(err)
		}
		l.operations()
		s, err := log.After(t.Context(), goals, place, 1)
		if err != nil || len(s.Messages) != 1 || s.Messages[0].ID != all[0].ID {
			t.Errorf("%+v, %v", s, err)
		}
		if done := l.operations(); len(done) > 2+8+1 {
			t.Errorf("it took %d requests", len(done))
		}
	}
	l.holds(all...)
}

// With rows that were appended long before the messages were accepted, it is over.
func TestTheSearchEnds(t *testing.T) {
	l := newLogTable(t)
	l.opts.PageSize = 1
	old := l.fill(3)
	l.clock.pass(3 * time.Minute)
	recent := l.fill(4)
	log := l.behind(nil)
	l.numbers(l.append(log, true, l.messages(1)...), 8)
	if done := l.operations(); len(done) != 5+1 { // recent and the last of old
		t.Errorf("done was %s", done)
	}
	l.numbers(l.append(log, true, recent[1], old[2]), 5, 3)
	recent = append(recent, l.fill(20)...)
	l.operations()
	l.numbers(l.append(log, true, recent[4]), 29) // it is too far back
	if done := l.operations(); len(done) != 10+1 {
		t.Errorf("done was %s", done)
	}
	l.numbers(l.append(log, true, recent[20]), 25)
}

// The clock of who accepted a message may be ahead of that of who appends it.
func TestTheSearchAllowsForClocks(t *testing.T) {
	l := newLogTable(t)
	mine := newMessages(1, l.clock.now().Add(50*time.Second))
	l.append(l.open(), false, mine...)
	l.fill(2)
	l.numbers(l.append(l.open(), true, mine...), 1)
}

// A row that somebody broke is an error of every call that needs it, and no panic.
func TestBrokenRows(t *testing.T) {
	l := newLogTable(t)
	l.append(l.open(), false, l.messages(2)...)
	good := l.rows()[0]
	body := good["messages"].(*types.AttributeValueMemberB).Value
	binary := func(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }
	for name, values := range map[string][]types.AttributeValue{
		"messages": {
			nil, number(1), &types.AttributeValueMemberS{Value: string(body)}, binary([]byte{}), binary(body[:1]), binary(body[:len(body)/2]),
			binary(body[:len(body)-1]), binary(append(body, body[1:]...)), binary(append([]byte{2}, body[1:]...)), binary([]byte{1, 0x80}),
		},
		"end":         {nil, number(0), number(1), number(3), number(-1), number(1 << 62), &types.AttributeValueMemberS{Value: "2"}},
		"epoch":       {nil, number(1), &types.AttributeValueMemberS{Value: "A"}},
		"at":          {nil, number(0), &types.AttributeValueMemberNULL{Value: true}},
		"valid_until": {nil, number(-1), &types.AttributeValueMemberN{Value: "1e100"}},
	} {
		for i, value := range values {
			broken := maps.Clone(good)
			if broken[name] = value; value == nil {
				delete(broken, name)
			}
			l.put(broken)
			for call, do := range logCalls {
				if err := do(t.Context(), l.open()); err == nil || !strings.Contains(err.Error(), "room:goals") {
					t.Errorf("%s with %s %d: %v", call, name, i, err)
				}
			}
			if _, err := l.open().After(t.Context(), goals, domain.Position{Epoch: "abc", Seq: 1}, 1); err == nil || errors.Is(err, ports.ErrReset) {
				t.Errorf("After with %s %d: %v", name, i, err)
			}
		}
	}
	if n := len(l.rows()); n != 1 {
		t.Errorf("the table has %d rows", n)
	}
}

// The row of the largest Append is far from the limit of an item, 400 KB.
func TestTheLargestRow(t *testing.T) {
	l := newLogTable(t)
	var messages []domain.Message
	for {
		m := l.messages(1)[0]
		m.Sender, m.To, m.Content = "a", "", domain.Content("1")
		m.Ref, m.Again = fmt.Sprintf("%0*d", domain.MaxRef, len(messages)), true
		if len(domain.Pack(goals, "", append(messages, m), domain.MaxPayload)) > 1 {
			break
		}
		messages = append(messages, m)
	}
	l.append(l.open(), false, messages...)
	row := l.rows()[0]
	if size := len(row["messages"].(*types.AttributeValueMemberB).Value); numberIn(row["end"]) != int64(len(messages)) || size > 300<<10 {
		t.Errorf("%d bytes for %d of %d messages", size, numberIn(row["end"]), len(messages))
	}
}

var _ ports.MessageLog = (*dynamostore.MessageLog)(nil)
