package wire

import (
	"bytes"
	"context"

	"github.com/gobwas/ws"
)

// floodTogether is how many messages a flood writes at once.
const floodTogether = 1000

// Flood broadcasts short messages that are not of the run, as fast as the server
// reads them, until ctx ends or the connection does. Nothing can be sent
// afterwards.
func (c *Conn) Flood(ctx context.Context) {
	one, err := ws.CompileFrame(ws.MaskFrameInPlace(ws.NewTextFrame(c.codec.appendForeign(nil))))
	if err != nil {
		panic(err) // only if a reader or writer fails, and there is none
	}
	for frames := bytes.Repeat(one, floodTogether); c.writeFrames(ctx, frames) == nil; {
	}
}
