package blackbox

import (
	"fmt"
	"strings"
	"testing"
)

// TestHistoryHasABound sends more than -history-bytes has room for.
func TestHistoryHasABound(t *testing.T) {
	const sent = 40
	s := startStandalone(t, inMemory, "-history-bytes", "20000")
	c := dial(t, s.target)
	start := c.resume(nil)["everyone"].Position
	for range sent {
		c.broadcast(quoted(1000))
	}
	all := c.take(sent)["everyone"]
	newest := at(all[sent-1])
	for _, position := range []string{start, at(all[0])} {
		a := c.resume(positions{"everyone": position})["everyone"]
		if a.Recovered == nil || *a.Recovered || a.Reason != "expired" || a.Position != newest || len(a.Messages) > 0 {
			t.Errorf("from %s: %+v, want expired and %s", position, a, newest)
		}
	}
	kept := c.loadAll("everyone", `"limit":7`)
	if len(kept) < 5 || len(kept) > 20 {
		t.Fatalf("kept are %s", outline(kept))
	}
	wantSame(t, "kept", kept, all[sent-len(kept):])
	missed, _ := c.resumeAll(positions{"everyone": at(kept[0])})
	wantSame(t, "after the oldest", missed["everyone"], kept[1:])
}

// TestHistoryInMemoryEndsWithTheProgram resumes from the positions of a program that has ended.
func TestHistoryInMemoryEndsWithTheProgram(t *testing.T) {
	before := dial(t, startInMemory(t))
	empty := before.resume(nil)["everyone"].Position
	a := before.broadcast(`"before"`)
	before.wantMessage(a.ID)
	last := before.resume(nil)["everyone"].Position
	c := dial(t, startInMemory(t))
	for _, position := range []string{last, empty} {
		a := c.resume(positions{"everyone": position})["everyone"]
		if a.Recovered == nil || *a.Recovered || a.Reason != "reset" || !strings.HasSuffix(a.Position, ".0") {
			t.Errorf("from %s: %+v, want reset", position, a)
		}
	}
	c.broadcast(`"after"`)
	if m := c.take(1)["everyone"][0]; m.Seq != 1 || fmt.Sprint(m.epoch, ".1") == last {
		t.Errorf("the first is at %s, before it was at %s", at(m), last)
	}
}
