package blackbox

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/integration/environments/lambdalocal"
)

// TestFollowersWhenWorkersDie kills workers again and again, at any point between the queue,
// the log and the posts, while clients come and go.
func TestFollowersWhenWorkersDie(t *testing.T) {
	cfg := identifiedLambda(identity{})
	cfg.workers = 0
	cfg.visibility, cfg.maxReceives = 2*time.Second, 1000
	s := startLambda(t, cfg)
	over, killed := make(chan struct{}), 0
	var killer sync.WaitGroup
	killer.Go(func() {
		for {
			select {
			case <-over:
				return
			case <-time.After(100 * time.Millisecond):
				killed += s.killBusy("fanout")
			}
		}
	})
	defer func() {
		close(over)
		killer.Wait()
		if t.Logf("%d workers were killed", killed); killed == 0 {
			t.Error("no worker was killed")
		}
	}()
	followers(t, s.target)
}

// TestFollowersOfAFailingTable has DynamoDB refuse requests, and lose responses, while
// clients come and go.
func TestFollowersOfAFailingTable(t *testing.T) {
	s := startHistory(t)
	s.dynamoDB.Set(unreliable(2026))
	all := comeAndGo(t, s.target)
	s.dynamoDB.Set(nil)
	wantTheLog(t, s.target, all)
}

// unreliable returns a fault that refuses a quarter of the requests, and loses the responses
// of some others.
func unreliable(seed uint64) awslocal.Fault {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 0))
	refuse, lose := lambdalocal.Throttle(0, throttled), loseResponses(1)
	return func(w http.ResponseWriter, r *http.Request, operation string, next http.Handler) {
		mu.Lock()
		n := random.IntN(100)
		mu.Unlock()
		switch {
		case n < 25:
			refuse(w, r, operation, next)
		case n < 30:
			lose(w, r, operation, next)
		default:
			next.ServeHTTP(w, r)
		}
	}
}
