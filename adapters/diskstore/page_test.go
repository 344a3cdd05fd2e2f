package diskstore

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
)

// breakValue damages what a key of the newest file leads to.
func breakValue(t *testing.T, s *Store, bucket, key []byte) {
	t.Helper()
	err := s.do(t.Context(), &operation{apply: func(b *batch) error {
		values := b.tx.Bucket(bucket)
		broken := slices.Clone(values.Get(key))
		broken[len(broken)-1]++
		return values.Put(key, broken)
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// A page of large messages ends before its limit. What is beyond the message that does not
// fit is not read, it can be megabytes: so damage there meets nobody.
func TestAPageReadsNoFurther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), Options{Retention: 72 * time.Hour})
		for n := range 6 {
			if n == 2 {
				time.Sleep(24 * time.Hour)
			}
			add(t, s, goals, n)
			converse(t, s, n)
		}
		breakValue(t, s, messageBucket, messageKey(channelKey(goals), 4))
		breakValue(t, s, conversationBucket, append(conversationKey(withBob), message(3).ID...))
		for size, want := range map[int]error{0: nil, len(message(5).Content): nil, unlimited: errDamaged} {
			page, err := s.Before(t.Context(), goals, domain.Position{}, 10, size)
			if !errors.Is(err, want) || want == nil && (len(page.Messages) != 1 || page.Messages[0].ID != message(5).ID || !page.More) {
				t.Errorf("the log within %d bytes: %+v, %v", size, page, err)
			}
			said, more, err := s.Conversations().Before(t.Context(), withBob, "", 10, size)
			if !errors.Is(err, want) || want == nil && (len(said) != 1 || said[0].ID != message(5).ID || !more) {
				t.Errorf("the conversation within %d bytes: %+v, %v, %v", size, said, more, err)
			}
		}
	})
}
