package domain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// DecodeJob reads a body that Encode of this release or the one before wrote, and
// nothing else: anything can be on a queue. The error wraps ErrNotAJob.
func DecodeJob(body string) (Job, error) {
	wire, err := readBody(body)
	if err == nil {
		err = wire.check()
	}
	var job Job
	if err == nil {
		job, err = wire.job()
	}
	if err != nil {
		return Job{}, fmt.Errorf("%w: %w", ErrNotAJob, err)
	}
	return job, nil
}

// readBody decodes a body, encodes the result and compares the two: encoding/json
// accepts names in any case, repeated names and unknown ones, and a misspelt "only"
// would send to everyone. White space may differ, since an operator may have edited a
// dead letter.
func readBody(body string) (wire wireJob, err error) {
	if len(body) > MaxJobBody {
		return wire, fmt.Errorf("%d bytes", len(body))
	}
	if err := json.Unmarshal([]byte(body), &wire); err != nil {
		return wire, err
	}
	if wire.Version < versionForEveryone || wire.Version > versionLogged {
		return wire, fmt.Errorf("version %d", wire.Version)
	}
	written := wire.body()
	if body == written {
		return wire, nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(body)); err != nil {
		return wire, err
	}
	if got := compact.String(); got != written {
		return wire, fmt.Errorf("not as a worker writes it from %.100q on", got[common(got, written):])
	}
	return wire, nil
}

// common returns the length of the common prefix of two texts, in bytes.
func common(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// check checks the limits that Encode keeps.
func (w wireJob) check() error {
	segment := Segment{Index: w.Segment, Total: w.Segments}
	switch {
	case len(w.Messages) == 0:
		return errors.New("no messages")
	case !segment.Valid():
		return fmt.Errorf("segment %d of %d", w.Segment, w.Segments)
	case len(w.Only) > 0 && (segment != Segment{} || w.Cursor != ""):
		return errors.New("both connections and a part of the table")
	case (w.Version == versionLogged) != (w.Epoch != "" || w.hasRefs()) || w.Epoch != "" && !w.Epoch.Valid():
		return fmt.Errorf("epoch %.40q in version %d", w.Epoch, w.Version)
	case w.Echo && w.Epoch != "":
		return errors.New("an echo with the numbers of one channel")
	case w.Echo && (len(w.Only) > 0 || segment != Segment{} || w.Cursor != ""):
		return errors.New("an echo of a part")
	case len(w.Cursor) > maxCursor:
		return fmt.Errorf("a cursor of %d bytes", len(w.Cursor))
	case w.Seen < 0 || w.Seen > maxSeen:
		return fmt.Errorf("%d connections seen", w.Seen)
	case w.Attempt < 0 || w.Attempt > maxAttempt:
		return fmt.Errorf("attempt %d", w.Attempt)
	case len(w.Reason) > maxReason:
		return fmt.Errorf("a reason of %d bytes", len(w.Reason))
	}
	return nil
}

func (w wireJob) hasRefs() bool {
	return slices.ContainsFunc(w.Messages, func(m wireMessage) bool { return m.Ref != "" })
}

// job returns the job, or an error that names its first bad member.
func (w wireJob) job() (Job, error) {
	to, err := w.recipients()
	if err != nil {
		return Job{}, err
	}
	job := Job{
		To:    to,
		Echo:  w.Echo,
		Epoch: w.Epoch,
		Span: Span{
			Segment: Segment{Index: w.Segment, Total: w.Segments},
			Cursor:  w.Cursor,
		},
		Attempt: w.Attempt,
		Reason:  w.Reason,
	}
	for _, m := range w.Messages {
		if w.Version == versionForEveryone && m.Sender != "" {
			return job, fmt.Errorf("a sender in version %d", w.Version)
		}
		if err := m.checkAddressee(w.Echo, to); err != nil {
			return job, err
		}
		if (m.Seq != 0) != (w.Epoch != "") || m.Seq < 0 || m.Seq > MaxSeq {
			return job, fmt.Errorf("message %.40q has number %d in epoch %.40q", m.ID, m.Seq, w.Epoch)
		}
		if err := m.checkRef(w.Epoch); err != nil {
			return job, err
		}
		message, err := m.message()
		if err != nil {
			return job, err
		}
		if size := EnvelopeSize(to, w.Epoch, message); size > MaxPayload {
			return job, fmt.Errorf("message %.40q has an envelope of %d bytes", m.ID, size)
		}
		job.Messages = append(job.Messages, message)
	}
	for _, c := range w.Only {
		target, err := c.target()
		if err != nil {
			return job, err
		}
		job.Only = append(job.Only, target)
	}
	return job, nil
}

func (w wireJob) recipients() (Recipients, error) {
	if w.Version == versionForEveryone && w.To == "" {
		return ToEveryone(), nil
	}
	if w.Version == versionForEveryone {
		return Recipients{}, fmt.Errorf("recipients in version %d", w.Version)
	}
	return ParseRecipients(w.To)
}

func (w wireMessage) message() (Message, error) {
	content, err := ParseContent([]byte(w.Content))
	if err != nil {
		return Message{}, fmt.Errorf("message %.40q: %w", w.ID, err)
	}
	message, err := NewMessage(w.ID, time.UnixMilli(w.SentAt), w.Sender, content)
	message.To, message.Seq, message.Ref, message.Again = w.To, w.Seq, w.Ref, w.Again
	return message, err
}

// checkAddressee checks that a message to one user is in a job to that user or to its
// sender, and that a job with echo has no other messages.
func (w wireMessage) checkAddressee(echo bool, to Recipients) error {
	switch {
	case w.To == "" && !echo:
		return nil
	case w.Sender == "" || !ValidUser(w.To):
		return fmt.Errorf("message %.40q from %.40q to %.40q", w.ID, w.Sender, w.To)
	case to == ToUser(w.To), to == ToUser(w.Sender) && !echo:
		return nil
	}
	return fmt.Errorf("message %.40q to %.40q in a job to %.40q", w.ID, w.To, to)
}

// checkRef checks that a ref is that of a user's message that is not in the log yet.
func (w wireMessage) checkRef(epoch Epoch) error {
	if w.Ref == "" && !w.Again || ValidRef(w.Ref) && w.Sender != "" && epoch == "" {
		return nil
	}
	return fmt.Errorf("message %.40q has the ref %.40q, again: %v, in epoch %.40q", w.ID, w.Ref, w.Again, epoch)
}

func (w wireConnection) target() (Target, error) {
	t := Target{
		ID:           w.ID,
		RegisteredAt: time.UnixMilli(w.RegisteredAt),
		GoneFor:      time.Duration(w.GoneFor) * time.Millisecond,
		Rejected:     w.Rejected,
	}
	switch {
	case !t.ID.Valid():
		return t, fmt.Errorf("connection id %.40q", t.ID)
	case w.RegisteredAt != registration(t):
		return t, fmt.Errorf("connection %.40q was registered in the year %d", t.ID, t.RegisteredAt.UTC().Year())
	case w.GoneFor < 0 || w.GoneFor > maxGoneFor.Milliseconds():
		return t, fmt.Errorf("connection %.40q has been gone for %d ms", t.ID, w.GoneFor)
	}
	return t, nil
}
