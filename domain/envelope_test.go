package domain_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"serverless-websocket/domain"
)

const anID = domain.MessageID("01K4ZQ0000000000000000000A")

func TestEnvelopeBytes(t *testing.T) {
	at := time.Date(2026, 11, 22, 18, 0, 0, 123_456_789, time.FixedZone("KST", 9*3600))
	var messages []domain.Message
	for i, content := range []string{`"<b>&서버리스 😀"`, `{ "b":1,  "a":1.0 }`} {
		m, err := domain.NewMessage(domain.MessageID(fmt.Sprintf("01J%023d", i)), at, "", domain.Content(content))
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	want := `{"messages":[{"content":"<b>&서버리스 😀","id":"01J00000000000000000000000","sentAt":"2026-11-22T09:00:00.123Z"},` +
		`{"content":{ "b":1,  "a":1.0 },"id":"01J00000000000000000000001","sentAt":"2026-11-22T09:00:00.123Z"}]}`
	envelopes := domain.Pack(domain.ToEveryone(), "", messages, domain.MaxPayload)
	if len(envelopes) != 1 || string(envelopes[0].Payload) != want {
		t.Errorf("got  %+v\nwant %s", envelopes, want)
	}
}

func TestAnEnvelopeNamesTheSender(t *testing.T) {
	m, err := domain.NewMessage(anID, time.UnixMilli(1795338000123), `"김" <a&b>`, domain.Content(`1`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"messages":[{"content":1,"id":"` + string(anID) + `","sentAt":"2026-11-22T09:00:00.123Z","sender":"\"김\" <a&b>"}]}`
	e := domain.Pack(domain.ToEveryone(), "", []domain.Message{m}, domain.MaxPayload)[0]
	if string(e.Payload) != want || domain.EnvelopeSize(domain.ToEveryone(), "", m) != len(want) {
		t.Errorf("got  %s of %d bytes\nwant %s", e.Payload, domain.EnvelopeSize(domain.ToEveryone(), "", m), want)
	}
	for _, sender := range []string{"\xff", "\uFFFD", strings.Repeat("x", domain.MaxRecipient+1)} {
		if _, err := domain.NewMessage(anID, time.Now(), sender, domain.Content(`1`)); err == nil {
			t.Errorf("%.10q can be a sender", sender)
		}
	}
}

func TestAnEnvelopeNamesTheChannel(t *testing.T) {
	m, err := domain.NewMessage(anID, time.UnixMilli(1795338000123), "alice", domain.Content(`1`))
	if err != nil {
		t.Fatal(err)
	}
	m.To = `"b<o>b"`
	for to, want := range map[domain.Recipients]string{
		domain.ToUser(m.To):  `"sender":"alice","to":"\"b<o>b\""}],"channel":"user"}`,
		domain.ToRoom("a/b"): `"sender":"alice","to":"\"b<o>b\""}],"channel":"room:a/b"}`,
		domain.ToEveryone():  `"sender":"alice","to":"\"b<o>b\""}]}`,
	} {
		e := domain.Pack(to, "", []domain.Message{m}, domain.MaxPayload)[0]
		if !strings.HasSuffix(string(e.Payload), want) || !json.Valid(e.Payload) || domain.EnvelopeSize(to, "", m) != len(e.Payload) {
			t.Errorf("to %s: %s, counted as %d bytes; want …%s", to, e.Payload, domain.EnvelopeSize(to, "", m), want)
		}
	}
}

func TestAnEnvelopeOfLoggedMessages(t *testing.T) {
	m, err := domain.NewMessage(anID, time.UnixMilli(1795338000123), "", domain.Content(`1`))
	if err != nil {
		t.Fatal(err)
	}
	m.Seq = 41
	for to, channel := range map[domain.Recipients]string{
		domain.ToEveryone(): "everyone", domain.ToUser("bob"): "user", domain.ToRoom("a/b"): "room:a/b",
	} {
		want := `{"messages":[{"content":1,"id":"` + string(anID) + `","seq":41,"sentAt":"2026-11-22T09:00:00.123Z"}],"channel":"` + channel + `","epoch":"k3"}`
		e := domain.Pack(to, "k3", []domain.Message{m}, domain.MaxPayload)[0]
		if string(e.Payload) != want || domain.EnvelopeSize(to, "k3", m) != len(want) {
			t.Errorf("got  %s of %d bytes\nwant %s", e.Payload, domain.EnvelopeSize(to, "k3", m), want)
		}
	}
}

// Contents on both sides of the limit.
func TestNewMessageKeepsOutWhatDoesNotFit(t *testing.T) {
	overhead := domain.EnvelopeSize(domain.ToEveryone(), "", domain.Message{ID: anID})
	fits := domain.Content(`"` + strings.Repeat("x", domain.MaxPayload-overhead-2) + `"`)
	m, err := domain.NewMessage(anID, time.Now(), "", fits)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(domain.Pack(domain.ToEveryone(), "", []domain.Message{m}, domain.MaxPayload)[0].Payload); got != domain.MaxPayload {
		t.Errorf("payload of %d bytes, want %d", got, domain.MaxPayload)
	}
	_, err = domain.NewMessage(anID, time.Now(), "", append(fits, ' '))
	if code := codeOf(err); code != domain.ContentTooLarge {
		t.Errorf("one byte more: error %v", err)
	}
}

func TestPack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(80, 600).Draw(t, "limit")
		var messages []domain.Message
		for i := range rapid.IntRange(0, 30).Draw(t, "messages") {
			messages = append(messages, domain.Message{
				ID:      domain.MessageID(fmt.Sprint(i)),
				SentAt:  time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "sentAt")),
				Content: domain.Content(fmt.Sprintf("%q", strings.Repeat("x", rapid.IntRange(0, 300).Draw(t, "length")))),
			})
		}
		var packed []domain.Message
		var before domain.Envelope
		for _, e := range domain.Pack(domain.ToEveryone(), "", messages, limit) {
			if len(e.Messages) == 0 || len(e.Payload) > limit && len(e.Messages) > 1 {
				t.Fatalf("%d messages in %d bytes, limit %d", len(e.Messages), len(e.Payload), limit)
			}
			alone := domain.EnvelopeSize(domain.ToEveryone(), "", e.Messages[0]) - len(`{"messages":[]}`)
			if before.Payload != nil && len(before.Payload)+len(`,`)+alone <= limit {
				t.Fatalf("%q would have fitted into the envelope before", e.Messages[0].Content)
			}
			before = e
			packed = append(packed, e.Messages...)
			checkPayload(t, e)
		}
		if len(packed) != len(messages) {
			t.Fatalf("%d messages packed of %d", len(packed), len(messages))
		}
		for i := range packed {
			if packed[i].ID != messages[i].ID {
				t.Fatalf("message %d is %q", i, packed[i].ID)
			}
		}
	})
}

func checkPayload(t *rapid.T, e domain.Envelope) {
	var frame struct {
		Messages []struct {
			Content json.RawMessage
			ID      domain.MessageID
			SentAt  time.Time
		}
	}
	if err := json.Unmarshal(e.Payload, &frame); err != nil {
		t.Fatalf("%q: %v", e.Payload, err)
	}
	for i, m := range frame.Messages {
		want := e.Messages[i]
		if m.ID != want.ID || string(m.Content) != string(want.Content) || !m.SentAt.Equal(want.SentAt) {
			t.Fatalf("message %d is %+v, want %+v", i, m, want)
		}
	}
}
