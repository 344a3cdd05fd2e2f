package wire

// maxUnread is how many bytes of an incomplete message can wait. It is far more than API
// Gateway sends: a broadcast that is understood does not wait.
const maxUnread = 1 << 20

// keptBuffer is the maximum size of an empty buffer that a connection keeps.
const keptBuffer = 4 << 10

// Receive reads until the connection ends, and calls the handler with the result of each
// read. The handler must not keep the batch. The error is never nil: it is a *CloseError
// after a close frame, or whatever else ended the reading. Then call Close.
func (c *Conn) Receive(handle func(*Batch)) error {
	if len(c.early) > 0 {
		d := desks.Get().(*desk)
		d.batch.Bytes = len(c.early)
		err := c.take(d, c.early, handle)
		desks.Put(d)
		if err != nil {
			return err
		}
		c.early = nil
	}
	if c.poll != nil {
		return c.poll(handle)
	}
	for {
		d, n, err := c.reads.next(c.partial)
		if err != nil {
			return err
		}
		read := n - len(c.partial)
		d.batch.Bytes = read
		err = c.take(d, d.buf[:n], handle)
		desks.Put(d)
		if err != nil {
			return err
		}
		c.pause(read)
	}
}

// take handles the frames in data and keeps the rest.
func (c *Conn) take(d *desk, data []byte, handle func(*Batch)) error {
	d.batch.At = c.clock.Now()
	rest, err := c.frames(d, data)
	handle(&d.batch)
	c.partial = append(c.partial[:0], rest...)
	d.batch.reset()
	return err
}
