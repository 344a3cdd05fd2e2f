package domain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

func TestAJobSurvivesTheQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		job := anyJob(t)
		body := job.Encode()
		if err := (ports.QueueMessage{Body: body}).Validate(); err != nil {
			t.Fatalf("the queue refuses %q: %v", body, err)
		}
		got, err := domain.DecodeJob(body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(job, got); diff != "" {
			t.Fatalf("-sent +received:\n%s", diff)
		}
		checkFrames(t, got.Messages)
	})
}

func anyJob(t *rapid.T) domain.Job {
	job := domain.Job{
		Attempt: rapid.IntRange(0, domain.MaxAttempt).Draw(t, "attempt"),
		To:      anyRecipients().Draw(t, "to"),
		Reason:  domain.Shortened(rapid.String().Draw(t, "reason")),
	}
	conversation := job.To.Kind == domain.User && rapid.Bool().Draw(t, "conversation")
	for range rapid.IntRange(1, 4).Draw(t, "messages") {
		job.Messages = append(job.Messages, domain.Message{
			ID:      domain.MessageID(rapid.StringMatching(`[0-7][0-9A-HJKMNP-TV-Z]{25}`).Draw(t, "id")),
			SentAt:  anyTime().Draw(t, "sentAt").UTC(),
			Sender:  rapid.OneOf(rapid.Just(""), anyName()).Draw(t, "sender"),
			Content: domain.Content(anyContent().Draw(t, "content")),
		})
		m := &job.Messages[len(job.Messages)-1]
		if conversation {
			m.Sender, m.To = anyName().Draw(t, "from"), job.To.Name
		}
		if m.Sender != "" && rapid.Bool().Draw(t, "tagged") {
			m.Ref, m.Again = anyRef().Draw(t, "ref"), rapid.Bool().Draw(t, "again")
		}
	}
	if job.Echo = conversation && rapid.Bool().Draw(t, "echo"); job.Echo {
		return job
	}
	if rapid.Bool().Draw(t, "numbered") {
		job.Epoch = domain.Epoch(rapid.StringMatching(`[0-9a-z]{1,16}`).Draw(t, "epoch"))
		for i := range job.Messages {
			m := &job.Messages[i]
			m.Seq, m.Ref, m.Again = rapid.Int64Range(1, domain.MaxSeq).Draw(t, "seq"), "", false
		}
	}
	if rapid.Bool().Draw(t, "only") {
		for range rapid.IntRange(1, 4).Draw(t, "connections") {
			job.Only = append(job.Only, domain.Target{
				ID:           domain.ConnectionID(anyID().Draw(t, "connection")),
				RegisteredAt: rapid.OneOf(anyTime(), rapid.Just(time.UnixMilli(0))).Draw(t, "registeredAt"),
				Rejected:     rapid.Bool().Draw(t, "rejected"),
				GoneFor:      time.Duration(rapid.Int64Range(0, domain.MaxGoneFor.Milliseconds()).Draw(t, "goneFor")) * time.Millisecond,
			})
		}
		return job
	}
	job.Span.Segment.Total = rapid.OneOf(rapid.IntRange(1, 9), rapid.Just(domain.MaxSegments)).Draw(t, "segments")
	job.Span.Segment.Index = rapid.IntRange(0, job.Span.Segment.Total-1).Draw(t, "segment")
	job.Span.Cursor = domain.Cursor(rapid.StringMatching(`[0-9A-Za-z_-]*`).Draw(t, "cursor"))
	return job
}

// anyName draws names of users.
func anyName() *rapid.Generator[string] {
	return rapid.Map(rapid.StringN(1, 20, domain.MaxRecipient), func(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, "x"), "\uFFFD", "x") })
}

// anyRef draws refs of messages.
func anyRef() *rapid.Generator[string] {
	return rapid.Map(rapid.StringN(1, 20, domain.MaxRef), func(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, "x"), "\uFFFD", "x") })
}

func anyRecipients() *rapid.Generator[domain.Recipients] {
	name := anyName()
	return rapid.OneOf(
		rapid.Just(domain.ToEveryone()),
		rapid.Map(name, domain.ToUser),
		rapid.Map(rapid.StringMatching(`[A-Za-z0-9._~/-]{1,20}`), domain.ToRoom),
	)
}

func anyTime() *rapid.Generator[time.Time] {
	return rapid.Map(rapid.Int64Range(700_000_000_000, 4_100_000_000_000), time.UnixMilli)
}

// anyID draws ids like the gateway's, and others that a table can hold.
func anyID() *rapid.Generator[string] {
	foreign := rapid.Map(rapid.String(), func(s string) string { return strings.ToValidUTF8(s, "") + "x" })
	return rapid.OneOf(rapid.StringMatching(`[0-9A-Za-z_=+/-]{16}`), foreign)
}

// anyContent draws JSON as clients write it: white space, characters that
// encoding/json would escape, and those that a queue does not take as they are.
func anyContent() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		text := strings.ToValidUTF8(rapid.String().Draw(t, "text"), "") + "x"
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return rapid.SampledFrom([]string{
			string(quoted),
			"{ \"a\" :\t[ 1.50 , 1E400 ]\r\n, \"a\":" + string(quoted) + "}",
			"\"\uFFFE\uFFFF\u2028<>&\x7f\"",
			`"\ud800 \u0000 \ufffe"`,
		}).Draw(t, "shape")
	})
}

const (
	goodBody  = `{"v":1,"messages":[{"id":"01K4ZQ0000000000000000000A","sentAt":1795338000123,"content":"1"}]}`
	goodParts = `{"v":1,"messages":[{"id":"01K4ZQ0000000000000000000A","sentAt":1795338000123,"content":"[]"}],` +
		`"segment":1,"segments":2,"cursor":"x","attempt":3,"reason":"scan"}`
	goodRoom  = `{"v":2,"to":"room:goals","messages":[{"id":"01K4ZQ0000000000000000000A","sentAt":1795338000123,"content":"1"}]}`
	goodRetry = `{"v":1,"messages":[{"id":"01K4ZQ0000000000000000000A","sentAt":1795338000123,"content":"{}"}],` +
		`"only":[{"id":"c=","at":1795338000000},{"id":"d=","at":0}],"attempt":3}`
)

// A payload has the name of its room: what fits one for everyone may not fit it.
func TestAMessageThatFitsNoEnvelopeOfItsJob(t *testing.T) {
	small, err := domain.NewMessage("01K4ZQ0000000000000000000A", time.UnixMilli(1795338000123), "", domain.Content(`""`))
	if err != nil {
		t.Fatal(err)
	}
	fill := domain.MaxPayload - domain.EnvelopeSize(domain.ToEveryone(), "", small)
	largest := small
	largest.Content = domain.Content(`"` + strings.Repeat("x", fill) + `"`)
	for to, want := range map[domain.Recipients]bool{domain.ToEveryone(): true, domain.ToRoom("goals"): false} {
		_, err := domain.DecodeJob(domain.Job{To: to, Messages: []domain.Message{largest}}.Encode())
		if decoded := err == nil; decoded != want {
			t.Errorf("to %s: %v", to, err)
		}
	}
}

// Each row changes one thing in a valid body.
func TestBodiesThatAreNoJob(t *testing.T) {
	long := strings.Repeat("x", 40_000)
	for _, row := range []struct{ name, body, old, new string }{
		{"no JSON", goodBody, goodBody, `hello`},
		{"no object", goodBody, goodBody, `[]`},
		{"null", goodBody, goodBody, `null`},
		{"trailing bytes", goodBody, `]}`, `]}}`},
		{"two jobs", goodBody, `]}`, `]}` + goodBody},
		{"other version", goodBody, `"v":1`, `"v":2`},
		{"no version", goodBody, `"v":1,`, ``},
		{"recipients in version 1", goodRoom, `"v":2`, `"v":1`},
		{"everyone in version 1", goodBody, `"v":1`, `"v":1,"to":"everyone"`},
		{"no recipients", goodRoom, `"to":"room:goals",`, ``},
		{"empty recipients", goodRoom, `"room:goals"`, `""`},
		{"recipients of no kind", goodRoom, `room:goals`, `goals`},
		{"recipients of another kind", goodRoom, `room:goals`, `team:goals`},
		{"recipients without a name", goodRoom, `room:goals`, `room:`},
		{"recipients with too long a name", goodRoom, `goals`, long},
		{"recipients null", goodRoom, `"room:goals"`, `null`},
		{"recipients in another case", goodRoom, `room:goals`, `Room:goals`},
		{"misspelt recipients", goodRoom, `"to"`, `"too"`},
		{"version 3", goodRoom, `"v":2`, `"v":3`},
		{"too long", goodBody, `]}`, `]}` + strings.Repeat(" ", ports.MaxQueueBody)},

		{"no messages", goodBody, goodBody, `{"v":1,"messages":[]}`},
		{"messages null", goodBody, goodBody, `{"v":1,"messages":null}`},
		{"no id", goodBody, `01K4ZQ0000000000000000000A`, ``},
		{"quote in the id", goodBody, `01K4ZQ0000000000000000000A`, `\",\"content\":\"forged`},
		{"id in lower case", goodBody, `000A`, `000a`},
		{"id that is no ULID", goodBody, `01K4`, `81K4`},
		{"content no JSON", goodBody, `"content":"1"`, `"content":"{"`},
		{"content of two values", goodBody, `"content":"1"`, `"content":"1,2"`},
		{"content null", goodBody, `"content":"1"`, `"content":"null"`},
		{"content missing", goodBody, `,"content":"1"`, ``},
		{"content no string", goodBody, `"content":"1"`, `"content":1`},
		{"content with half a surrogate pair", goodBody, `"content":"1"`, `"content":"\"\ud800\""`},
		{"content not UTF-8", goodBody, `"content":"1"`, "\"content\":\"\\\"\xff\\\"\""},
		{"content too deep", goodBody, `"content":"1"`, `"content":"` + strings.Repeat("[", 512) + strings.Repeat("]", 512) + `"`},
		{"content too large", goodBody, `"content":"1"`, `"content":"` + strings.Repeat("1", domain.MaxPayload) + `"`},
		{"sent in seconds", goodBody, `1795338000123`, `1795338000`},
		{"sent in microseconds", goodBody, `1795338000123`, `1795338000123000`},
		{"sent at a fraction", goodBody, `1795338000123`, `1795338000123.5`},
		{"sent beyond an int", goodBody, `1795338000123`, `17953380001230000000000`},
		{"sent before 1970", goodBody, `1795338000123`, `-1`},

		{"name in another case", goodBody, `"content"`, `"Content"`},
		{"unknown member", goodBody, `"v":1`, `"v":1,"x":1`},
		{"unknown member of a message", goodBody, `"content"`, `"to":"a","content"`},
		{"repeated member", goodBody, `"v":1`, `"v":1,"v":1`},
		{"repeated member of a message", goodBody, `"sentAt"`, `"id":"01K4ZQ0000000000000000000B","sentAt"`},
		{"members in another order", goodParts, `"segment":1,"segments":2`, `"segments":2,"segment":1`},
		{"default written out", goodBody, `]}`, `],"attempt":0}`},

		{"misspelt audience", goodRetry, `"only"`, `"onyl"`},
		{"audience of nobody", goodRetry, `"only":[{"id":"c=","at":1795338000000},{"id":"d=","at":0}]`, `"only":[]`},
		{"audience null", goodRetry, `"only":[{"id":"c=","at":1795338000000},{"id":"d=","at":0}]`, `"only":null`},
		{"connections and a segment", goodRetry, `,"attempt"`, `,"segments":2,"attempt"`},
		{"connections and a cursor", goodRetry, `,"attempt"`, `,"cursor":"x","attempt"`},
		{"connection without id", goodRetry, `"c="`, `""`},
		{"connection id too long", goodRetry, `"c="`, `"` + long + `"`},
		{"connection id not UTF-8", goodRetry, `"c="`, "\"\xff\""},
		{"registered in seconds", goodRetry, `1795338000000`, `1795338000`},
		{"registered in microseconds", goodRetry, `1795338000000`, `1795338000000000`},
		{"registered before 1970", goodRetry, `"at":0`, `"at":-1`},

		{"gone backwards", goodRetry, `"at":0}`, `"at":0,"goneFor":-1}`},
		{"gone for ever", goodRetry, `"at":0}`, `"at":0,"goneFor":9223372036854775807}`},
		{"not rejected", goodRetry, `"at":0}`, `"at":0,"rejected":false}`},
		{"gone for no time", goodRetry, `"at":0}`, `"at":0,"goneFor":0}`},

		{"segment too high", goodParts, `"segment":1`, `"segment":2`},
		{"segment negative", goodParts, `"segment":1`, `"segment":-1`},
		{"segments negative", goodParts, `"segments":2`, `"segments":-2`},
		{"too many segments", goodParts, `"segments":2`, `"segments":1000001`},
		{"segments beyond 32 bits", goodParts, `"segments":2`, `"segments":4294967298`},
		{"cursor too long", goodParts, `"cursor":"x"`, `"cursor":"` + long + `"`},
		{"seen negative", goodParts, `"attempt":3`, `"seen":-7,"attempt":3`},
		{"seen too many", goodParts, `"attempt":3`, `"seen":1000000001,"attempt":3`},
		{"attempt negative", goodParts, `"attempt":3`, `"attempt":-3`},
		{"attempt too high", goodParts, `"attempt":3`, `"attempt":1001`},
		{"reason too long", goodParts, `"reason":"scan"`, `"reason":"` + long[:domain.MaxReason+1] + `"`},
	} {
		body := strings.Replace(row.body, row.old, row.new, 1)
		if job, err := domain.DecodeJob(body); body == row.body || !errors.Is(err, domain.ErrNotAJob) || job.Messages != nil {
			t.Errorf("%s: error %v for %.300s", row.name, err, body)
		}
	}
}

func TestBodiesThatAreAJob(t *testing.T) {
	weeks := time.Now().AddDate(0, 0, -14).UnixMilli()
	for name, body := range map[string]string{
		"new":   goodBody,
		"part":  goodParts,
		"retry": goodRetry,
		"room":  goodRoom,
		"user":  strings.Replace(goodRoom, "room:", "user:", 1),
		"everyone, as a later release may write it": strings.Replace(goodRoom, "room:goals", "everyone", 1),
		"indented":  "\n" + indented(goodRetry) + "\r\n",
		"weeks old": strings.Replace(goodBody, "1795338000123", fmt.Sprint(weeks), 1),
		"sent by a clock that is ahead": strings.Replace(goodBody, "1795338000123",
			fmt.Sprint(time.Now().Add(time.Hour).UnixMilli()), 1),
		"one segment in all": strings.Replace(goodParts, `"segment":1,"segments":2`, `"segments":1`, 1),
		"most segments":      strings.Replace(goodParts, `"segments":2`, `"segments":1000000`, 1),
	} {
		if _, err := domain.DecodeJob(body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func indented(text string) string {
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", "\t"); err != nil {
		panic(err)
	}
	return out.String()
}

// A job with a broken row or a long error must still decode, or the work for all its
// other connections would be refused.
func TestWhatIsEncodedIsDecoded(t *testing.T) {
	job := domain.Job{
		Messages: []domain.Message{{ID: "01K4ZQ0000000000000000000A", SentAt: time.UnixMilli(1795338000123).UTC(), Content: domain.Content("1")}},
		To:       domain.ToEveryone(),
		Attempt:  domain.MaxAttempt + 1, Reason: "ab\xff" + strings.Repeat("한", domain.MaxReason),
	}
	for _, at := range []time.Time{{}, time.UnixMilli(-5), time.UnixMilli(1795338000123000), time.UnixMilli(1 << 62)} {
		job.Only = append(job.Only, domain.Target{ID: "c\n\u2028\uffff", RegisteredAt: at})
	}
	got, err := domain.DecodeJob(job.Encode())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got.Only {
		if !c.RegisteredAt.Equal(time.UnixMilli(0)) || c.ID != "c\n\u2028\uffff" {
			t.Errorf("connection %+v", c)
		}
	}
	if got.Attempt != domain.MaxAttempt || !strings.HasPrefix(got.Reason, "ab\uFFFD한") || !strings.HasSuffix(got.Reason, "한") || len(got.Reason) > domain.MaxReason {
		t.Errorf("got %+v", got)
	}
}

// Each message of a job with echo goes to its addressee once, and to its sender once, and
// to no one else.
func TestEchoReachesSendersAndNoOneElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		job := anyJob(t)
		got := map[string]int{}
		for _, one := range job.Channels() {
			if one.Echo {
				t.Fatalf("still with echo: %+v", one)
			}
			if back, err := domain.DecodeJob(one.Encode()); err != nil || cmp.Diff(one, back) != "" {
				t.Fatalf("%+v comes back as %+v, %v", one, back, err)
			}
			for i, m := range one.Messages {
				got[fmt.Sprint(one.To, m, i)]++
				if job.Echo && one.To != domain.ToUser(m.To) && one.To != domain.ToUser(m.Sender) || !job.Echo && one.To != job.To {
					t.Fatalf("%+v goes to %s", m, one.To)
				}
			}
		}
		want := len(job.Messages)
		for _, m := range job.Messages {
			if job.Echo && m.Sender != m.To {
				want++
			}
		}
		if len(got) != want {
			t.Fatalf("%d deliveries of %d", len(got), want)
		}
	})
}

// A message from one user to another is in no job to anyone else.
func TestABodyCannotWidenAConversation(t *testing.T) {
	m, err := domain.NewMessage(anID, time.UnixMilli(1795338000123), "alice", domain.Content(`1`))
	if err != nil {
		t.Fatal(err)
	}
	m.To = "bob"
	for name, test := range map[string]struct {
		job domain.Job
		ok  bool
	}{
		"to bob":             {domain.Job{To: domain.ToUser("bob")}, true},
		"to bob, with echo":  {domain.Job{To: domain.ToUser("bob"), Echo: true}, true},
		"the echo":           {domain.Job{To: domain.ToUser("alice")}, true},
		"an echo of an echo": {domain.Job{To: domain.ToUser("alice"), Echo: true}, false},
		"to carol":           {domain.Job{To: domain.ToUser("carol")}, false},
		"to a room":          {domain.Job{To: domain.ToRoom("bob")}, false},
		"to everyone":        {domain.Job{To: domain.ToEveryone()}, false},
		"an echo of a part":  {domain.Job{To: domain.ToUser("bob"), Echo: true, Span: domain.Span{Cursor: "x"}}, false},
	} {
		test.job.Messages = []domain.Message{m}
		if _, err := domain.DecodeJob(test.job.Encode()); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	m.To = ""
	echo := domain.Job{To: domain.ToUser("bob"), Echo: true, Messages: []domain.Message{m}}
	if _, err := domain.DecodeJob(echo.Encode()); err == nil {
		t.Error("an echo of a message to no one")
	}
}

// Numbers are those of one epoch, and of one channel.
func TestNumbersOfAJob(t *testing.T) {
	good := domain.Job{To: domain.ToRoom("goals"), Epoch: "k3", Messages: []domain.Message{
		{ID: anID, SentAt: time.UnixMilli(1795338000123), Sender: "alice", Content: domain.Content(`1`), Seq: 7},
	}}.Encode()
	if job, err := domain.DecodeJob(good); err != nil || job.Epoch != "k3" || job.Messages[0].Seq != 7 {
		t.Fatalf("%s is %+v, %v", good, job, err)
	}
	for old, bad := range map[string]string{
		`"v":3`:               `"v":2`,
		`,"epoch":"k3"`:       ``,
		`"epoch":"k3"`:        `"epoch":"K3"`,
		`,"seq":7`:            ``,
		`"seq":7`:             `"seq":-7`,
		`"seq":7,`:            `"seq":9007199254740992,`,
		`"to":"room:goals"`:   `"to":""`,
		`,"epoch":"k3","mess`: `,"echo":true,"epoch":"k3","mess`,
	} {
		body := strings.Replace(good, old, bad, 1)
		if body == good {
			t.Fatalf("no %s in %s", old, good)
		}
		if job, err := domain.DecodeJob(body); !errors.Is(err, domain.ErrNotAJob) {
			t.Errorf("%s is %+v, %v", body, job, err)
		}
	}
}
