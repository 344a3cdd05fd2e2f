package dynamostore

import (
	"sync"
	"time"

	"serverless-websocket/domain"
)

// maxEnds is how many ends of logs a process remembers: about 2 MB.
const maxEnds = 10_000

// logEnd is what is to be known of a log's last row to put one after it. The zero value
// is that of an empty log.
type logEnd struct {
	Seq        int64        `dynamodbav:"seq"` // of the row's first message
	End        int64        `dynamodbav:"end"` // of its last
	Epoch      domain.Epoch `dynamodbav:"epoch"`
	ValidUntil int64        `dynamodbav:"valid_until"` // s
}

func (e logEnd) expired(now time.Time) bool { return now.Unix() >= e.ValidUntil }

// ends remembers where logs end, as this process has last seen it.
type ends struct {
	mu sync.Mutex
	of map[domain.Recipients]logEnd
}

// get returns the end of a log if its last row has not expired. Then that row still
// exists, whatever follows it by now.
func (e *ends) get(to domain.Recipients, now time.Time) (end logEnd, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	end, ok = e.of[to]
	return end, ok && !end.expired(now)
}

// set remembers an end, if need be in place of any other.
func (e *ends) set(to domain.Recipients, end logEnd) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, replaced := e.of[to]; !replaced && len(e.of) >= maxEnds {
		for other := range e.of {
			delete(e.of, other)
			break
		}
	}
	e.of[to] = end
}
