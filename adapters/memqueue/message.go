package memqueue

import (
	"container/list"
	"strconv"
	"time"

	"serverless-websocket/ports"
)

// Message is one receive of a message; its id is a UUID.
type Message = ports.ReceivedMessage

// message is a message on the queue. It is in ready or in hidden.
type message struct {
	id, body        string
	key             uint64 // in the journal
	receipt         string // of the latest receive; empty before the first
	receives        int
	sentAt          time.Time
	firstReceivedAt time.Time

	element   *list.Element // in ready; nil while hidden
	visibleAt time.Time     // while hidden
	order     uint64        // in which it was hidden
	index     int           // in hidden
}

func (m *message) snapshot() Message {
	return Message{
		ID: m.id, Receipt: m.receipt, Body: m.body, ReceiveCount: m.receives,
		SentAt: m.sentAt, FirstReceivedAt: m.firstReceivedAt,
	}
}

// received records one more receive and gives it its own receipt.
func (m *message) received(now time.Time) {
	m.receives++
	m.receipt = m.id + "." + strconv.Itoa(m.receives)
	if m.receives == 1 {
		m.firstReceivedAt = now
	}
}
