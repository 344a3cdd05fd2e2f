package domain_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"serverless-websocket/domain"
)

func TestRefsThatTellMessagesApart(t *testing.T) {
	for ref, want := range map[string]bool{
		"r": true, "한\x00\uFFFE": true, strings.Repeat("é", domain.MaxRef/2): true,
		"": false, strings.Repeat("x", domain.MaxRef+1): false, "\uFFFD": false, "a\xff": false,
	} {
		if got := domain.ValidRef(ref); got != want {
			t.Errorf("%.20q: %v", ref, got)
		}
	}
}

// A message and its repeat know each other, whichever comes first. Each row changes one
// thing by which they do.
func TestRepeats(t *testing.T) {
	at := time.UnixMilli(1795338000123)
	first := domain.Message{ID: "first", SentAt: at, Sender: "alice", To: "bob", Ref: "r"}
	repeat := domain.Message{ID: "repeat", SentAt: at.Add(time.Second), Sender: "alice", To: "bob", Ref: "r", Again: true}
	for name, test := range map[string]struct {
		change func(first, repeat *domain.Message)
		same   bool
	}{
		"none":              {func(_, _ *domain.Message) {}, true},
		"at the last":       {func(f, r *domain.Message) { r.SentAt = f.SentAt.Add(domain.RepeatWindow) }, true},
		"by another clock":  {func(f, r *domain.Message) { r.SentAt = f.SentAt.Add(-domain.RepeatWindow) }, true},
		"repeated twice":    {func(f, _ *domain.Message) { f.Again = true }, true},
		"another content":   {func(_, r *domain.Message) { r.Content = domain.Content(`1`) }, true},
		"too late":          {func(f, r *domain.Message) { r.SentAt = f.SentAt.Add(domain.RepeatWindow + 1) }, false},
		"not sent again":    {func(_, r *domain.Message) { r.Again = false }, false},
		"another sender":    {func(_, r *domain.Message) { r.Sender = "bob" }, false},
		"another recipient": {func(_, r *domain.Message) { r.To = "carol" }, false},
		"another ref":       {func(_, r *domain.Message) { r.Ref = "R" }, false},
		"no ref":            {func(f, r *domain.Message) { f.Ref, r.Ref = "", "" }, false},
		"itself":            {func(f, r *domain.Message) { r.ID = f.ID }, false},
	} {
		f, r := first, repeat
		test.change(&f, &r)
		other := domain.Message{ID: "other", SentAt: at, Sender: "alice", To: "bob", Ref: "other", Again: true}
		of, back := r.RepeatOf([]domain.Message{other, f}), f.RepeatOf([]domain.Message{r})
		if (of == f.ID) != test.same || (back == r.ID) != test.same || !test.same && of+back != "" {
			t.Errorf("%s: a repeat of %q, and the other of %q", name, of, back)
		}
	}
}

// Nothing of a ref is in what clients get.
func TestNoFrameShowsARef(t *testing.T) {
	m, err := domain.NewMessage(anID, time.UnixMilli(1795338000123), "alice", domain.Content(`1`))
	if err != nil {
		t.Fatal(err)
	}
	plain := domain.Pack(domain.ToEveryone(), "", []domain.Message{m}, domain.MaxPayload)
	m.Ref, m.Again = "secret", true
	tagged := domain.Pack(domain.ToEveryone(), "", []domain.Message{m}, domain.MaxPayload)
	if string(tagged[0].Payload) != string(plain[0].Payload) {
		t.Errorf("%s", tagged[0].Payload)
	}
}

// A ref is for the log: only a user's message that is not in the log yet has one.
func TestRefsOfAJob(t *testing.T) {
	good := domain.Job{To: domain.ToUser("bob"), Echo: true, Messages: []domain.Message{
		{ID: anID, SentAt: time.UnixMilli(1795338000123), Sender: "alice", To: "bob", Content: domain.Content(`1`), Ref: "r", Again: true},
		{ID: anID, SentAt: time.UnixMilli(1795338000123), Sender: "alice", To: "bob", Content: domain.Content(`1`)},
	}}.Encode()
	job, err := domain.DecodeJob(good)
	if err != nil || !job.Echo || job.Messages[0].Ref != "r" || !job.Messages[0].Again || job.Messages[1].Ref != "" {
		t.Fatalf("%s is %+v, %v", good, job, err)
	}
	for old, bad := range map[string]string{
		`"v":3`:                         `"v":2`,
		`"ref":"r",`:                    ``,
		`"ref":"r","again":true,`:       ``,
		`"ref":"r"`:                     `"ref":""`,
		`"r"`:                           `"` + strings.Repeat("x", domain.MaxRef+1) + `"`,
		`"ref":"r","again"`:             `"ref":"\ufffd","again"`,
		`"again":true`:                  `"again":false`,
		`"sender":"alice",`:             ``,
		`"echo":true,`:                  `"epoch":"k3",`,
		`"again":true,"content":"1"},{`: `"content":"1"},{"again":true,`,
	} {
		body := strings.Replace(good, old, bad, 1)
		if body == good {
			t.Fatalf("no %s in %s", old, good)
		}
		if job, err := domain.DecodeJob(body); !errors.Is(err, domain.ErrNotAJob) {
			t.Errorf("%s is %+v, %v", body, job, err)
		}
	}
	stranger := domain.Job{To: domain.ToRoom("goals"), Messages: []domain.Message{
		{ID: anID, SentAt: time.UnixMilli(1795338000123), Content: domain.Content(`1`), Ref: "r"},
	}}.Encode()
	if job, err := domain.DecodeJob(stranger); !errors.Is(err, domain.ErrNotAJob) {
		t.Errorf("%s is %+v, %v", stranger, job, err)
	}
	// In a job with numbers there is none.
	numbered := domain.Job{To: domain.ToRoom("goals"), Epoch: "k3", Messages: []domain.Message{
		{ID: anID, SentAt: time.UnixMilli(1795338000123), Sender: "alice", Content: domain.Content(`1`), Seq: 7, Ref: "r"},
	}}.Encode()
	if job, err := domain.DecodeJob(numbered); !errors.Is(err, domain.ErrNotAJob) {
		t.Errorf("%s is %+v, %v", numbered, job, err)
	}
}
