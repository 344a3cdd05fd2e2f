package diskstore

import (
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"serverless-websocket/ports"
	"serverless-websocket/ports/porttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens a store, which ends with the test.
func open(tb testing.TB, dir string, opts Options) *Store {
	tb.Helper()
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s, err := Open(dir, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func TestMessageLog(t *testing.T) {
	porttest.TestMessageLog(t, porttest.LogHarness{
		NewLog: func(t *testing.T, retention time.Duration) porttest.LogUnderTest {
			s := open(t, t.TempDir(), Options{Retention: retention})
			return porttest.LogUnderTest{Open: func() ports.MessageLog { return s }}
		},
		Bubble: true,
	})
}

func TestConversations(t *testing.T) {
	porttest.TestConversations(t, porttest.ConversationsHarness{
		New: func(t *testing.T, retention time.Duration) porttest.ConversationsUnderTest {
			s := open(t, t.TempDir(), Options{Retention: retention})
			return porttest.ConversationsUnderTest{Open: func() ports.Conversations { return s.Conversations() }}
		},
		Bubble: true,
	})
}

func (s *Store) newestName() string {
	s.filesMu.RLock()
	defer s.filesMu.RUnlock()
	return fileName(s.newest().day)
}
