package app

import (
	"testing"

	"serverless-websocket/ports"
)

// Messages are bounded and can be read if and only if they are kept.
func TestHistory(t *testing.T) {
	for _, log := range []ports.MessageLog{nil, struct{ ports.MessageLog }{}} {
		service := Service{History: log}
		if got := service.Handlers().Past.Log; got != log {
			t.Errorf("the handlers read %v, want %v", got, log)
		}
		if logged := service.Handlers().Publisher.Logged; logged != (log != nil) {
			t.Errorf("with %v: logged is %v", log, logged)
		}
	}
}

// Conversations are put by the worker, and read by the handlers.
func TestConversations(t *testing.T) {
	for _, all := range []ports.Conversations{nil, struct{ ports.Conversations }{}} {
		if got := (Service{Conversations: all}).Handlers().Past.Conversations; got != all {
			t.Errorf("the handlers read %v, want %v", got, all)
		}
	}
}
