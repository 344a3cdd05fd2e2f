package lambdaevent_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"serverless-websocket/domain"
)

// Alarms count the lines at ERROR: no client may be able to write one.
func TestClientsCannotRaiseAlarms(t *testing.T) {
	for _, body := range badFrames() {
		wantNoAlarm(t, body)
	}
	for _, text := range []string{"", `"`, `","level":"ERROR","x":"`, "\n{\"level\":\"ERROR\"}\n", strings.Repeat("x", 1<<14)} {
		f := newFunctions()
		for _, eventType := range []string{"CONNECT", "DISCONNECT"} {
			event := message(text)
			event.RequestContext.EventType = eventType
			event.RequestContext.DisconnectReason = &text
			event.RequestContext.Identity.SourceIP = text
			event.RequestContext.Identity.UserAgent = text
			event.Headers = map[string]string{text: text}
			event.QueryStringParameters = map[string]string{text: text}
			if _, err := f.connections.Handle(context.Background(), event); err != nil {
				t.Errorf("%s with %.40q: %v", eventType, text, err)
			}
		}
		if alarms := f.alarms(t); len(alarms) > 0 {
			t.Errorf("connecting with %.40q: %s", text, alarms)
		}
	}
}

func FuzzClientsCannotRaiseAlarms(f *testing.F) {
	for _, body := range badFrames() {
		f.Add(body)
	}
	f.Fuzz(wantNoAlarm)
}

// An outage raises them.
func TestFailuresRaiseAlarms(t *testing.T) {
	f := newFunctions()
	f.queue.err = errors.New("down")
	if _, err := f.send.Handle(context.Background(), message(`{"content":1}`)); err != nil || len(f.alarms(t)) != 1 {
		t.Errorf("the queue is down: %s, error %v", f.log, err)
	}
	f = newFunctions()
	f.store.err = errors.New("down")
	event := message("")
	event.RequestContext.EventType = "CONNECT"
	if _, err := f.connections.Handle(context.Background(), event); err != nil || len(f.alarms(t)) != 1 {
		t.Errorf("the table is down: %s, error %v", f.log, err)
	}
}

func badFrames() []string {
	return []string{
		``, `{`, `7`, `[]`, `null`, `{}`, "\xff", "\x00", `{"content":null}`, `{"content":" "}`, `{"content":1,"ref":{}}`,
		`{"content":"\ud800"}`, `{"content":"` + "\ufffe\uffff" + `"}`, `{"content":"` + strings.Repeat("x", domain.MaxPayload) + `"}`,
		`{"content":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`,
		`{"content":1,"ref":"` + strings.Repeat("x", domain.MaxRef+1) + `"}`, `{"content":1,"ref":"\",\"level\":\"ERROR"}`,
	}
}

// wantNoAlarm sends the frame to both functions that a frame can reach.
func wantNoAlarm(t *testing.T, body string) {
	t.Helper()
	f := newFunctions()
	_, sending := f.send.Handle(context.Background(), message(body))
	_, other := f.unknown.Handle(context.Background(), message(body))
	if alarms := f.alarms(t); len(alarms) > 0 || sending != nil || other != nil {
		t.Errorf("%.40q: %s, errors %v, %v", body, alarms, sending, other)
	}
}

// alarms returns the lines that the metric filters count.
func (f *functions) alarms(t *testing.T) []string {
	t.Helper()
	var found []string
	for line := range strings.Lines(f.log.String()) {
		var fields struct{ Level string }
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%q is not JSON: %v", line, err)
		}
		if fields.Level == "ERROR" {
			found = append(found, line)
		}
	}
	return found
}
