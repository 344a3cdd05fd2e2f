package tally

import (
	"testing"

	"serverless-websocket/integration/tools/load/wire"
)

// A client that resumes is owed what is sent after it knew its first position, on whatever
// connection, and each once.
func TestFollow(t *testing.T) {
	tally := sent(10)
	s := tally.NewClient(false).Open(3_000)
	hand := func(n int, recovered bool) {
		s.HandOn(20_000, wire.Stamp{N: n, Due: int64(n) * 1000, Sent: int64(n) * 1000}, recovered)
	}
	hand(2, false) // nothing said that it would come
	hand(3, false)
	s.Suspend()
	if connected, missing := tally.Connected(), tally.Missing(); connected != 0 || missing != 6 {
		t.Errorf("%d connected, %d missing", connected, missing)
	}
	s.Continue()
	for n := 4; n < 9; n++ {
		hand(n, true)
	}
	hand(4, false)
	hand(10, false) // was never sent
	tally.Close()
	hand(9, true) // too late
	c := tally.Counts()
	if c.Delivered != 7 || c.Recovered != 5 || c.Lost != 1 || c.Duplicated != 1 || c.Damaged != 1 || c.Reconnects != 1 {
		t.Errorf("%+v", c)
	}
	if c.MissedAway+c.MissedCut+c.OutOfOrder != 0 {
		t.Errorf("%+v", c)
	}
	if _, fromSchedule, _ := tally.Latencies(); fromSchedule.Count != 2 {
		t.Errorf("%d latencies, want those of what came live", fromSchedule.Count)
	}
}

func TestDurations(t *testing.T) {
	var d Durations
	if d.Summary().Count != 0 {
		t.Error("not empty")
	}
	for i := range int64(100) {
		d.Add(i + 1)
	}
	if got := d.Summary(); got.Count != 100 || got.P50.Microseconds() != 50 || got.Max.Microseconds() != 100 {
		t.Errorf("%+v", got)
	}
}
