package blackbox

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	reference "serverless-websocket/clients/go"
	"serverless-websocket/integration/environments/testenv"
)

// inboxStep is something done to an Inbox, as testdata/replay.mjs reads it.
type inboxStep struct {
	Do       string                      `json:"do"`
	Frame    *reference.Frame            `json:"frame,omitempty"`
	Answers  map[string]reference.Answer `json:"answers,omitempty"`
	Position string                      `json:"position,omitempty"`
	Want     inboxResult                 `json:"want"`
}

type inboxResult struct {
	Events    []string          `json:"events"`
	Positions map[string]string `json:"positions"`
	More      bool              `json:"more"`
	Missing   bool              `json:"missing"`
}

// The Inbox in Go has properties that are tested. The one in JavaScript does the same,
// whatever comes.
func TestTheInboxesAgree(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("the seed is %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var traces [][]inboxStep
	for range 500 {
		traces = append(traces, trace(random, 60))
	}
	traces = append(traces, manyMessages())
	text, err := json.Marshal(traces)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "traces.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(testenv.Node(t), filepath.Join("testdata", "replay.mjs"), file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, testenv.Tail(string(out)))
	}
}

// trace does something at random to an Inbox.
func trace(random *rand.Rand, steps int) (all []inboxStep) {
	inbox := reference.NewInbox()
	for range steps {
		var s inboxStep
		switch random.IntN(12) {
		case 0:
			s.Do = "positions"
		case 1, 2, 3:
			s.Do = "resumed"
			s.Answers = map[string]reference.Answer{"everyone": randomAnswer(random), "room:goals": randomAnswer(random)}
		case 4:
			s.Do, s.Position = "joined", randomPosition(random)
		case 5:
			s.Do = oneOf(random, "left", "disconnected")
		default:
			s.Do = "receive"
			s.Frame = &reference.Frame{
				Channel: oneOf(random, "", "everyone", "room:goals"), Epoch: oneOf(random, "", "k", "k", "k", "z"),
				Messages: randomMessages(random, int64(random.IntN(9)+1)),
			}
		}
		s.Want = s.apply(inbox)
		all = append(all, s)
	}
	return all
}

// manyMessages has more messages than an Inbox remembers and holds.
func manyMessages() (all []inboxStep) {
	inbox := reference.NewInbox()
	frame := func(id, seq, n int) inboxStep {
		f := &reference.Frame{Channel: "everyone", Epoch: "k"}
		for i := range n {
			f.Messages = append(f.Messages, reference.Message{ID: fmt.Sprint(id + i), Seq: int64(seq + i)})
		}
		return inboxStep{Do: "receive", Frame: f}
	}
	for _, s := range []inboxStep{
		{Do: "joined", Position: "k.0"}, {Do: "resumed", Answers: map[string]reference.Answer{"everyone": {Position: "k.0"}}},
		frame(1, 1, 1_500), frame(450, 1_501, 100), frame(1_600, 1_700, 10_100), frame(1_501, 1_601, 99),
	} {
		s.Want = s.apply(inbox)
		all = append(all, s)
	}
	return all
}

func (s inboxStep) apply(inbox *reference.Inbox) inboxResult {
	r := inboxResult{Events: []string{}, Positions: map[string]string{}}
	var events []reference.Event
	switch s.Do {
	case "positions":
		r.Positions = inbox.Positions()
	case "resumed":
		events, r.More = inbox.Resumed(s.Answers)
	case "joined":
		events, r.More = inbox.Joined("goals", s.Position)
	case "left":
		inbox.Left("goals")
	case "disconnected":
		inbox.Disconnected()
	default:
		events = inbox.Receive(*s.Frame)
	}
	for _, e := range events {
		r.Events = append(r.Events, e.Channel+" "+e.Lost+e.Message.ID)
	}
	r.Missing = inbox.Missing()
	return r
}

func randomAnswer(random *rand.Rand) (a reference.Answer) {
	yes, no := true, false
	a.Position, a.More = randomPosition(random), random.IntN(3) == 0
	switch random.IntN(5) {
	case 0:
		a.Recovered, a.Reason = &no, oneOf(random, "reset", "expired")
	case 1:
		a.Error = &reference.Error{Code: "not_a_member"}
	case 2, 3:
		seq := int64(random.IntN(9) + 1)
		a.Recovered, a.Messages = &yes, randomMessages(random, seq)
		if n := len(a.Messages); n > 0 {
			a.Position = fmt.Sprintf("k.%d", a.Messages[n-1].Seq)
		}
	}
	return a
}

func randomPosition(random *rand.Rand) string {
	return fmt.Sprintf("%s.%d", oneOf(random, "k", "k", "k", "z"), random.IntN(9))
}

func randomMessages(random *rand.Rand, first int64) (all []reference.Message) {
	all = []reference.Message{} // as the service does: not null
	for i := range int64(random.IntN(4)) {
		all = append(all, reference.Message{ID: fmt.Sprint("m", random.IntN(40)), Seq: first + i})
	}
	return all
}

func oneOf(random *rand.Rand, choices ...string) string { return choices[random.IntN(len(choices))] }
