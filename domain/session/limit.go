package session

import (
	"math/rand/v2"
	"sync"
	"time"

	"serverless-websocket/domain"
)

const (
	// unit is how much content is read for one unit, in bytes.
	unit = 4 << 10
	// maxWait is the longest that a client is told to wait, without what chance adds.
	maxWait = time.Minute
	// forget is how long after its time a client can come that was told to wait.
	forget = time.Minute
)

// ReadLimits bound what clients that look back cost the others. A request takes a unit for
// each log and for each 4 KiB that it reads.
type ReadLimits struct {
	AtOnce    int // requests that read at once
	PerSecond int // units
	Burst     int // units that can be taken at once after a pause
}

// ReadLimiter refuses requests beyond its limits, which are all above 0. It lets none wait
// in the service: there a request would keep what those need who do not look back. It
// tells clients when to come instead, one after the other as fast as it can serve them,
// and then serves them before others. A client that comes too early has to wait still, so
// nothing is to be had by asking often.
//
// It may be used concurrently; a nil one has no limits.
type ReadLimiter struct {
	limits ReadLimits

	mu      sync.Mutex
	reading int
	left    float64 // units; below 0 they are promised, or were taken on credit
	at      time.Time
	typical float64 // units of a request, lately
	told    map[domain.ConnectionID]promise
	order   []domain.ConnectionID // of those told, about by their times
}

// promise is when a client is served, and what was taken for it.
type promise struct {
	due   time.Time
	units float64
}

// NewReadLimiter returns a limiter to which nobody has come yet.
func NewReadLimiter(limits ReadLimits) *ReadLimiter {
	return &ReadLimiter{
		limits: limits, left: float64(limits.Burst), at: time.Now(), typical: 1, told: make(map[domain.ConnectionID]promise),
	}
}

// begin lets a connection's request read. It calls done with the units that it has taken.
// The error is Unavailable.
func (l *ReadLimiter) begin(id domain.ConnectionID) (done func(units int), err error) {
	if l == nil {
		return func(int) {}, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.pass(now)
	promised, told := l.told[id]
	switch {
	case told && now.Before(promised.due):
		return nil, domain.NewBusy(promised.due.Sub(now))
	case l.reading >= l.limits.AtOnce, !told && l.left <= 0:
		return nil, domain.NewBusy(l.postpone(id, now))
	}
	delete(l.told, id)
	l.reading++
	return func(units int) { l.end(float64(units), promised.units) }, nil
}

// end counts what a request has taken besides what was taken for it.
func (l *ReadLimiter) end(units, before float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reading--
	units = max(1, units) // of a request that failed too
	l.left -= units - before
	l.typical += (units - l.typical) / 8
}

// postpone returns how long a client has to wait. What it may need then is taken now, so
// that the next one waits for longer. The caller holds l.mu.
func (l *ReadLimiter) postpone(id domain.ConnectionID, now time.Time) time.Duration {
	wait := maxWait
	p := promise{units: l.told[id].units}
	if debt := time.Duration(-l.left / float64(l.limits.PerSecond) * float64(time.Second)); debt < maxWait {
		wait = max(debt, time.Second)
		l.left -= l.typical
		p.units += l.typical
	}
	wait += rand.N(wait / 2)
	p.due = now.Add(wait)
	l.told[id] = p
	l.order = append(l.order, id)
	return wait
}

// pass notes that time has passed. The caller holds l.mu.
func (l *ReadLimiter) pass(now time.Time) {
	earned := now.Sub(l.at).Seconds() * float64(l.limits.PerSecond)
	l.left, l.at = min(l.left+earned, float64(l.limits.Burst)), now
	for len(l.order) > 0 && now.Sub(l.told[l.order[0]].due) > forget {
		delete(l.told, l.order[0])
		l.order = l.order[1:]
	}
}

// units returns what it takes to read messages of a log.
func units(messages []domain.Message) int {
	bytes := 0
	for _, m := range messages {
		bytes += len(m.Content)
	}
	return 1 + bytes/unit
}
