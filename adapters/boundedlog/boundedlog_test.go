package boundedlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"testing/synctest"
	"time"

	"encoding/json"

	"serverless-websocket/adapters/boundedlog"
)

func note(dropped int) []byte { return fmt.Appendf(nil, "%d dropped\n", dropped) }

// lines are written by one goroutine and read by another once the first has ended.
type lines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func TestLinesComeInOrder(t *testing.T) {
	var to lines
	w := boundedlog.NewWriter(&to, 1<<20, note)
	var want strings.Builder
	for i := range 1000 {
		fmt.Fprintf(w, "line %d\n", i)
		fmt.Fprintf(&want, "line %d\n", i)
	}
	if !w.Close(10*time.Second) || to.String() != want.String() {
		t.Errorf("got %d bytes, want %d", to.Len(), want.Len())
	}
}

// A reader that stalls blocks no one, and the lines it missed are counted.
func TestStalledReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, to := io.Pipe()
		w := boundedlog.NewWriter(to, 100, note)
		fmt.Fprintln(w, "the first, which is stuck")
		synctest.Wait()
		start := time.Now()
		for range 30 {
			fmt.Fprintln(w, "123456789") // ten bytes: ten of them fit
		}
		if time.Since(start) > 0 {
			t.Error("a writer had to wait")
		}
		got := make(chan []byte)
		go func() {
			all, _ := io.ReadAll(reader)
			got <- all
		}()
		if !w.Close(time.Second) {
			t.Error("not all written")
		}
		to.Close()
		want := "the first, which is stuck\n20 dropped\n" + strings.Repeat("123456789\n", 10)
		if all := string(<-got); all != want {
			t.Errorf("got %q, want %q", all, want)
		}
	})
}

// Close does not wait forever.
func TestCloseWithAStalledReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, to := io.Pipe()
		w := boundedlog.NewWriter(to, 100, note)
		fmt.Fprintln(w, "stuck")
		start := time.Now()
		if w.Close(time.Second) || time.Since(start) != time.Second {
			t.Errorf("closed after %v", time.Since(start))
		}
		reader.Close()
		synctest.Wait()
	})
}

// broken fails at the second write. The first lasts until resume is closed.
type broken struct {
	lines
	resume chan struct{}
	writes int
}

func (b *broken) Write(p []byte) (int, error) {
	b.writes++
	switch b.writes {
	case 1:
		<-b.resume
	case 2:
		return 0, errors.New("broken pipe")
	}
	return b.lines.Write(p)
}

// The lines of a failed write are counted.
func TestBrokenReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := broken{resume: make(chan struct{})}
		w := boundedlog.NewWriter(&to, 100, note)
		fmt.Fprintln(w, "seen")
		synctest.Wait() // the next two wait for this one, and go together
		fmt.Fprintln(w, "lost")
		fmt.Fprintln(w, "lost too")
		close(to.resume)
		synctest.Wait()
		fmt.Fprintln(w, "seen again")
		w.Close(time.Second)
		if got := to.String(); got != "seen\n2 dropped\nseen again\n" {
			t.Errorf("got %q", got)
		}
	})
}

func TestLimitPassesOnSomeOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var to bytes.Buffer
		log := slog.New(boundedlog.Limit(slog.NewTextHandler(&to, nil), "refused"))
		for range 1000 {
			log.Info("refused", "code", "invalid_json")
		}
		for range 1000 {
			log.With("a", 1).Info("something else")
		}
		if n := bytes.Count(to.Bytes(), []byte("\n")); n != 1100 {
			t.Errorf("%d lines", n)
		}
		to.Reset()
		time.Sleep(100 * time.Millisecond)
		log.WithGroup("g").Info("refused")
		if !strings.Contains(to.String(), "alike=900") {
			t.Errorf("got %q", to.String())
		}
		to.Reset()
		time.Sleep(time.Second)
		log.Info("refused")
		if strings.Contains(to.String(), "alike") || to.Len() == 0 {
			t.Errorf("got %q", to.String())
		}
	})
}

func TestLimitIsAHandler(t *testing.T) {
	var to bytes.Buffer
	err := slogtest.TestHandler(boundedlog.Limit(slog.NewJSONHandler(&to, nil), "message"), func() (all []map[string]any) {
		for line := range bytes.Lines(to.Bytes()) {
			var one map[string]any
			if err := json.Unmarshal(line, &one); err != nil {
				t.Fatal(err)
			}
			all = append(all, one)
		}
		return all
	})
	if err != nil {
		t.Error(err)
	}
}
