package wire

// maxUnread is how much of a message may wait for its end, in bytes. It is far
// above what API Gateway sends: a broadcast that is understood does not wait.
const maxUnread = 1 << 20

// keptBuffer is how large an empty buffer may be that a connection keeps.
const keptBuffer = 4 << 10

// Receive reads until the connection ends, and has what each read brought
// handled. The batch must not be kept. The error is a *CloseError after a close
// frame, or whatever else ended the reading; never nil. Then call Close.
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

// take handles the frames in data and keeps what is left.
func (c *Conn) take(d *desk, data []byte, handle func(*Batch)) error {
	d.batch.At = c.clock.Now()
	rest, err := c.frames(d, data)
	handle(&d.batch)
	c.partial = append(c.partial[:0], rest...)
	d.batch.reset()
	return err
}
