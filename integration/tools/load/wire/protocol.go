package wire

import "strconv"

// Protocol is the protocol that a server speaks over its WebSockets.
type Protocol string

// The protocols.
const (
	// Service is the protocol of this service.
	Service Protocol = "service"
	// Echo is no protocol: the server passes each frame on unchanged to everyone. A
	// broadcast is accepted when its sender gets it back.
	Echo Protocol = "echo"
	// Centrifuge is the JSON protocol of the library centrifugal/centrifuge, for a
	// server that subscribes each client to CentrifugeChannel. A broadcast is
	// accepted when the server answers that it is published.
	Centrifuge Protocol = "centrifuge"
)

// foreign is content that does not belong to a run.
const foreign = `"flood"`

// AppendSend appends the request to broadcast the stamp. Its ref is the number.
func (c *Codec) AppendSend(to []byte, s Stamp) []byte {
	content := c.appendContent(make([]byte, 0, c.size), s)
	return c.appendRequest(to, content, s.N)
}

// appendForeign appends the request to broadcast content that does not belong to the run.
func (c *Codec) appendForeign(to []byte) []byte { return c.appendRequest(to, []byte(foreign), 0) }

func (c *Codec) appendRequest(to, content []byte, ref int) []byte {
	switch c.protocol {
	case Echo:
		return appendMessage(to, content, ref)
	case Centrifuge:
		return appendPublish(to, content, ref)
	}
	to = append(to, `{"action":"sendMessage","content":`...)
	to = append(to, content...)
	to = append(to, `,"ref":"`...)
	to = strconv.AppendInt(to, int64(ref), 10)
	return append(to, `"}`...)
}

// appendMessage appends a frame as the service delivers it.
func appendMessage(to, content []byte, id int) []byte {
	to = append(to, `{"messages":[{"content":`...)
	to = append(to, content...)
	to = append(to, `,"id":"`...)
	to = strconv.AppendInt(to, int64(id), 10)
	return append(to, `"}]}`...)
}
