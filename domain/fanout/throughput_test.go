package fanout

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/integration/environments/testenv"
)

func TestAPassTakesWhatEarlierOnesTook(t *testing.T) {
	type scan struct {
		connections int
		partly      bool
		posts       int
		took        time.Duration
	}
	for _, test := range []struct {
		name  string
		most  float64
		scans []scan
		size  int
		takes time.Duration
	}{
		{"nothing is known", 1000, nil, -1, 0},
		{"too few to tell the speed", 0, []scan{{connections: 999, posts: 999, took: time.Hour}}, 999, 0},
		{"the speed is known beforehand", 100, []scan{{connections: 500, posts: 500, took: time.Hour}}, 500, 5 * time.Second},
		{"a segment tells of the whole", 0,
			[]scan{{connections: 100_000, posts: 10_000, took: 10 * time.Second}}, 100_000, 100 * time.Second},
		{"several payloads each", 0,
			[]scan{{connections: 1_000, posts: 10_000, took: 10 * time.Second}}, 1_000, time.Second},
		{"the latest counts", 0, []scan{
			{connections: 100_000, posts: 10_000, took: 10 * time.Second},
			{connections: 2_000, posts: 2_000, took: time.Second}}, 2_000, time.Second},
		{"a small pass keeps the speed", 0, []scan{
			{connections: 50_000, posts: 50_000, took: 50 * time.Second},
			{connections: 500, posts: 500, took: time.Millisecond}}, 500, 500 * time.Millisecond},
		{"no faster than can be", 1000,
			[]scan{{connections: 5_000, posts: 5_000, took: time.Second}}, 5_000, 5 * time.Second},
		{"a part tells the least", 1000,
			[]scan{{connections: 7_000, partly: true, posts: 10}}, 7_000, 7 * time.Second},
		{"a part does not make it smaller", 1000,
			[]scan{{connections: 9_000, posts: 10}, {connections: 7_000, partly: true, posts: 10}}, 9_000, 9 * time.Second},
		{"a part of nothing tells nothing", 1000, []scan{{partly: true}}, -1, 0},
	} {
		speed, sizes := speed{most: test.most}, sizes{}
		for _, s := range test.scans {
			sizes.learn(domain.ToEveryone(), s.connections, !s.partly)
			speed.learn(s.posts, s.took)
		}
		size, known := sizes.of(domain.ToEveryone())
		if known != (test.size >= 0) || known && size != test.size {
			t.Errorf("%s: %d connections, known: %v; want %d", test.name, size, known, test.size)
		}
		if takes := speed.takes(size); takes != test.takes {
			t.Errorf("%s: takes %v, want %v", test.name, takes, test.takes)
		}
	}
}

func TestTheSizeOfATableIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p sizes
		p.learn(domain.ToEveryone(), 5, true)
		time.Sleep(remembered)
		if _, known := p.of(domain.ToEveryone()); known {
			t.Error("it is still known")
		}
	})
}

// A Lambda is frozen between invocations, and its clock can be set.
func TestTheSizeOfATableIsForgottenWhileFrozen(t *testing.T) {
	for slept, want := range map[time.Duration]bool{0: true, remembered - time.Second: true, remembered: false, -time.Second: false} {
		now := time.Now()
		p := sizes{now: func() time.Time { return now }}
		p.learn(domain.ToEveryone(), 5, true)
		now = testenv.Later(now, slept)
		if _, known := p.of(domain.ToEveryone()); known != want {
			t.Errorf("frozen for %v: known %v", slept, known)
		}
	}
}

// What was seen long ago does not hide that the table has shrunk.
func TestALargerSizeThatIsForgottenGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p sizes
		p.learn(domain.ToEveryone(), 100, true)
		time.Sleep(remembered)
		p.learn(domain.ToEveryone(), 60, false)
		if size, known := p.of(domain.ToEveryone()); size != 60 || !known {
			t.Errorf("%d connections, known: %v", size, known)
		}
	})
}

// What a worker learns of one room it does not take for another, and it forgets rather
// than grows.
func TestSizesAreKeptForEachOfTheRecipients(t *testing.T) {
	var p sizes
	p.learn(domain.ToRoom("goals"), 5, true)
	for _, other := range []domain.Recipients{domain.ToEveryone(), domain.ToUser("goals"), domain.ToRoom("goal")} {
		if _, known := p.of(other); known {
			t.Errorf("the size of %s is known", other)
		}
	}
	for i := range 3 * maxSizes {
		p.learn(domain.ToRoom(strconv.Itoa(i)), i, true)
	}
	if size, known := p.of(domain.ToRoom(strconv.Itoa(3*maxSizes - 1))); size != 3*maxSizes-1 || !known || len(p.all) > maxSizes {
		t.Errorf("%d connections, known %v; %d sizes are kept", size, known, len(p.all))
	}
}
