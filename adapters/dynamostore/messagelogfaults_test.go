package dynamostore_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"serverless-websocket/adapters/dynamostore"
	"serverless-websocket/domain"
	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/ports"
)

var goals = domain.ToRoom("goals")

// logTable is a table of logs, and what is done with it through a proxy.
type logTable struct {
	*testing.T
	name  string
	clock clock
	opts  dynamostore.LogOptions

	mu   sync.Mutex
	done []string // the operations
}

func newLogTable(t *testing.T) *logTable {
	opts := logOptions()
	opts.Retention = time.Hour
	return &logTable{T: t, name: awslocal.CreateLogTable(t), opts: opts}
}

// open returns a log that reaches the table directly.
func (l *logTable) open() *dynamostore.MessageLog { return openLog(l.T, l.name, &l.clock, l.opts) }

// behind returns a log whose requests are recorded and pass the fault, unless it is nil.
func (l *logTable) behind(fault awslocal.Fault) *dynamostore.MessageLog {
	client := awslocal.DynamoDBAt(awslocal.Proxy(l, awslocal.DynamoDBEndpoint(l),
		func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
			l.mu.Lock()
			l.done = append(l.done, operation)
			l.mu.Unlock()
			if fault == nil {
				next.ServeHTTP(w, r)
				return
			}
			fault(w, r, operation, next)
		}))
	log := dynamostore.NewMessageLog(client, l.name, l.opts)
	log.SetClock(l.clock.now)
	return log
}

// operations returns what was done since the last call.
func (l *logTable) operations() (done []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	done, l.done = l.done, nil
	return done
}

// append appends the messages and returns their numbers.
func (l *logTable) append(log *dynamostore.MessageLog, again bool, messages ...domain.Message) (numbers []int64) {
	l.Helper()
	positions, err := log.Append(l.Context(), goals, messages, again)
	if err != nil {
		l.Fatal(err)
	}
	for _, p := range positions {
		numbers = append(numbers, p.Seq)
	}
	return numbers
}

// fill appends n rows of one message.
func (l *logTable) fill(n int) (messages []domain.Message) {
	l.Helper()
	log := l.open()
	for range n {
		messages = append(messages, l.messages(1)...)
		l.append(log, false, messages[len(messages)-1])
	}
	return messages
}

func (l *logTable) messages(n int) []domain.Message { return newMessages(n, l.clock.now()) }

// numbers checks the numbers of messages.
func (l *logTable) numbers(got []int64, want ...int64) {
	l.Helper()
	if !slices.Equal(got, want) {
		l.Errorf("the numbers are %d, want %d", got, want)
	}
}

// holds checks the ids in the log.
func (l *logTable) holds(want ...domain.Message) {
	l.Helper()
	s, err := l.open().Before(l.Context(), goals, domain.Position{}, 1000, 1<<30)
	same := func(a, b domain.Message) bool { return a.ID == b.ID }
	if err != nil || !slices.EqualFunc(s.Messages, want, same) {
		l.Errorf("the log has %d messages, %v; want %d: %v", len(s.Messages), err, len(want), s.Messages)
	}
}

// delete deletes the row that begins with the number, as DynamoDB does with the expired.
func (l *logTable) delete(seq int64) {
	_, err := awslocal.DynamoDB(l).DeleteItem(l.Context(), &dynamodb.DeleteItemInput{TableName: &l.name, Key: dynamostore.LogKey(goals, seq)})
	if err != nil {
		l.Error(err)
	}
}

// once calls the fault for the first request of an operation.
func once(operation string, fault awslocal.Fault) awslocal.Fault {
	var seen atomic.Bool
	return func(w http.ResponseWriter, r *http.Request, name string, next http.Handler) {
		if name == operation && !seen.Swap(true) {
			fault(w, r, name, next)
			return
		}
		next.ServeHTTP(w, r)
	}
}

// meanwhile does something before the request.
func meanwhile(do func()) awslocal.Fault {
	return func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
		do()
		next.ServeHTTP(w, r)
	}
}

func TestAWarmProcessAppendsByOneRequest(t *testing.T) {
	l := newLogTable(t)
	log := l.behind(nil)
	for i, want := range []string{"Query PutItem", "PutItem", "PutItem"} {
		l.numbers(l.append(log, false, l.messages(1)...), int64(i+1))
		if got := strings.Join(l.operations(), " "); got != want {
			t.Errorf("Append %d is %s, want %s", i+1, got, want)
		}
	}
}

// The put is repeated, meets its own row and takes it for what it is, whatever followed.
func TestALostAnswerOfAPut(t *testing.T) {
	l := newLogTable(t)
	all, mine := l.fill(2), l.messages(3)
	var other []domain.Message
	log := l.behind(once("PutItem", func(w http.ResponseWriter, r *http.Request, _ string, next http.Handler) {
		lose(w, r, "", next)
		other = l.fill(2)
	}))
	l.numbers(l.append(log, false, mine...), 3, 4, 5)
	l.holds(slices.Concat(all, mine, other)...)
}

// A call that failed is repeated, by another process or by this one.
func TestAppendAgainAfterAnError(t *testing.T) {
	l := newLogTable(t)
	l.opts.MaxAttempts = 1
	mine := l.messages(2)
	log := l.behind(once("PutItem", lose))
	if at, err := log.Append(t.Context(), goals, mine, false); err == nil {
		t.Fatalf("appended at %v", at)
	}
	other := l.fill(3)
	for _, log := range []*dynamostore.MessageLog{log, l.open()} {
		l.numbers(l.append(log, true, mine...), 1, 2)
	}
	l.holds(append(mine, other...)...)
}

// A process that was idle looks for the end, and for its messages on the way.
func TestAppendFarBehindTheEnd(t *testing.T) {
	l := newLogTable(t)
	log := l.behind(nil)
	l.append(log, false, l.messages(1)...)
	l.fill(7)
	mine := l.messages(2)
	l.append(l.open(), false, mine...) // 9 and 10
	l.fill(30)
	l.operations()
	l.numbers(l.append(log, false, append(l.messages(1), mine...)...), 41, 9, 10)
	if done := l.operations(); len(done) > 10 {
		t.Errorf("it took %d requests: %s", len(done), done)
	}
}

// What it has met or passed is not read again.
func TestAppendSomewhatBehindTheEnd(t *testing.T) {
	l := newLogTable(t)
	l.opts.PageSize = 1
	l.fill(30)
	log := l.behind(nil)
	l.append(log, false, l.messages(1)...)
	l.fill(7)
	l.operations()
	l.numbers(l.append(log, false, l.messages(1)...), 39)
	if done := l.operations(); len(done) != 5+3+1 { // puts, queries and a put
		t.Errorf("done was %s", done)
	}
}

// expire lets all that is in the table expire.
func (l *logTable) expire() { l.clock.pass(l.opts.Retention + 2*time.Second) }

// Three processes append after a row that has expired, and meet.
func TestAfterAnExpiredRow(t *testing.T) {
	l := newLogTable(t)
	l.fill(3)
	l.expire()
	mine, other := l.messages(2), []domain.Message(nil)
	log := l.behind(once("TransactWriteItems", meanwhile(func() {
		l.append(l.open(), false, mine...)
		other = l.fill(2)
	})))
	l.numbers(l.append(log, false, mine...), 4, 5)
	if done := l.operations(); !slices.Equal(done, []string{"Query", "TransactWriteItems"}) {
		t.Errorf("done was %s", done)
	}
	l.holds(append(mine, other...)...)
}

func TestALostAnswerOfATransaction(t *testing.T) {
	l := newLogTable(t)
	l.fill(3)
	l.expire()
	mine := l.messages(2)
	l.numbers(l.append(l.behind(once("TransactWriteItems", lose)), false, mine...), 4, 5)
	l.holds(mine...)
}

// DynamoDB deletes the expired row after it was read. Whoever reads later finds nothing
// and begins at 1, so nobody may go on at 4.
func TestTheExpiredRowIsDeletedMeanwhile(t *testing.T) {
	l := newLogTable(t)
	l.fill(3)
	l.expire()
	mine := l.messages(2)
	log := l.behind(once("TransactWriteItems", meanwhile(func() { l.delete(1); l.delete(2); l.delete(3) })))
	l.numbers(l.append(log, false, mine...), 1, 2)
	l.holds(mine...)
}

// The same, while another process appends the same messages and more.
func TestTheLogBeginsAnewMeanwhile(t *testing.T) {
	l := newLogTable(t)
	l.fill(3)
	l.expire()
	mine, other := l.messages(2), []domain.Message(nil)
	log := l.behind(once("TransactWriteItems", meanwhile(func() {
		l.delete(1)
		l.delete(2)
		l.delete(3)
		l.append(l.open(), false, mine...)
		other = l.fill(1)
	})))
	l.numbers(l.append(log, false, mine...), 1, 2)
	l.holds(append(mine, other...)...)
}

func TestConflictsOfTransactions(t *testing.T) {
	for name, c := range map[string]struct {
		refused int64
		fails   bool
	}{"twice": {2, false}, "always": {100, true}} {
		t.Run(name, func(t *testing.T) {
			l := newLogTable(t)
			l.opts.MaxAttempts = 4
			l.fill(1)
			var seen atomic.Int64
			log := l.behind(func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
				if operation == "PutItem" && seen.Add(1) <= c.refused {
					awslocal.WriteError(w, http.StatusBadRequest, "TransactionConflictException")
					return
				}
				next.ServeHTTP(w, r)
			})
			at, err := log.Append(t.Context(), goals, l.messages(1), false)
			if (err != nil) != c.fails || !c.fails && at[0].Seq != 2 {
				t.Errorf("%v, %v", at, err)
			}
			if c.fails && seen.Load() != 4 {
				t.Errorf("%d tries, want 4", seen.Load())
			}
		})
	}
}

// logCalls are the calls of the port.
var logCalls = map[string]func(context.Context, *dynamostore.MessageLog) error{
	"Append": func(ctx context.Context, log *dynamostore.MessageLog) error {
		_, err := log.Append(ctx, goals, newMessages(1, time.Now()), false)
		return err
	},
	"End": func(ctx context.Context, log *dynamostore.MessageLog) error {
		_, err := log.End(ctx, goals)
		return err
	},
	"After": func(ctx context.Context, log *dynamostore.MessageLog) error {
		_, err := log.After(ctx, goals, domain.Position{Epoch: "abc", Seq: 1}, 1)
		if errors.Is(err, ports.ErrReset) { // which takes the same reads
			return nil
		}
		return err
	},
	"Before": func(ctx context.Context, log *dynamostore.MessageLog) error {
		_, err := log.Before(ctx, goals, domain.Position{}, 1, 1<<30)
		return err
	},
}

// Roles allow readers to query, and nothing else.
func TestTheReadsOfALogAreConsistentQueries(t *testing.T) {
	l := newLogTable(t)
	l.fill(30)
	l.expire()
	all := l.fill(3)
	log := l.behind(func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
		body, _ := io.ReadAll(r.Body)
		if operation != "Query" || !bytes.Contains(body, []byte(`"ConsistentRead":true`)) {
			t.Errorf("%s: %s", operation, body)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
	for name, call := range logCalls {
		if name == "Append" {
			continue
		}
		if err := call(t.Context(), log); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	l.holds(all...)
}

func TestALogThatDoesNotAnswer(t *testing.T) {
	client := awslocal.DynamoDBAt(awslocal.Proxy(t, awslocal.DynamoDBEndpoint(t),
		func(_ http.ResponseWriter, r *http.Request, _ string, _ http.Handler) { hang(r) }))
	opts := dynamostore.LogOptions{Options: dynamostore.Options{Timeout: 50 * time.Millisecond}}
	for name, call := range logCalls {
		if err := call(t.Context(), dynamostore.NewMessageLog(client, "logs", opts)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want context.DeadlineExceeded", name, err)
		}
	}
}

// An attempt without an answer leaves time for another, in virtual time.
func TestALogWithoutAnAnswerOnce(t *testing.T) {
	for name, call := range logCalls {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				client := awslocal.DynamoDBInMemory(func(w http.ResponseWriter, r *http.Request) {
					if requests++; requests == 1 {
						hang(r)
					}
					_, _ = io.WriteString(w, "{}")
				})
				start := time.Now()
				if err := call(t.Context(), dynamostore.NewMessageLog(client, "logs", dynamostore.LogOptions{})); err != nil {
					t.Error(err)
				}
				if took := time.Since(start); took < attemptLimit || took >= defaultTimeout {
					t.Errorf("%d requests in %v, want one that hangs for %v", requests, took, attemptLimit)
				}
			})
		})
	}
}
