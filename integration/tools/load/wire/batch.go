package wire

// Batch is the result of one read from a connection.
type Batch struct {
	At     int64 // when it was read, by the Clock
	Bytes  int   // from the socket
	Frames int   // complete ones that hold messages

	Stamps  []Stamp // of the run's own broadcasts, in order of arrival
	Replies []Reply
	// Received are the frames of a connection that follows. Their messages are not in
	// Stamps.
	Received []Received

	Foreign    int // messages of others
	Damaged    int // messages of the run that were altered
	Unreadable int // frames of no known kind
}

// add counts a message, which has the stamp if it is the run's own.
func (b *Batch) add(s Stamp, own bool) {
	if own {
		b.Stamps = append(b.Stamps, s)
	} else {
		b.Foreign++
	}
}

func (b *Batch) reset() {
	*b = Batch{Stamps: b.Stamps[:0], Replies: b.Replies[:0], Received: b.Received[:0]}
}

// NoNumber is the N of a reply that does not say which request it answers.
const NoNumber = -1

// Reply answers a request to broadcast.
type Reply struct {
	N        int // the number of the broadcast, or NoNumber
	Accepted bool
	Code     string // why it was not accepted
}
