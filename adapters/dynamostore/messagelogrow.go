package dynamostore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/domain"
)

// The attributes of a log's row that the code names; the tags of logRow and logEnd must
// agree.
const (
	seqAttribute      = "seq"
	endAttribute      = "end"
	epochAttribute    = "epoch"
	atAttribute       = "at"
	messagesAttribute = "messages"
)

// logRow is a row of a log: the messages of one Append. Within the limit of a payload it
// is far smaller than an item can be, 400 KB.
type logRow struct {
	Channel string `dynamodbav:"channel"`
	logEnd
	At        int64  `dynamodbav:"at"` // ms
	Body      []byte `dynamodbav:"messages"`
	ExpiresAt int64  `dynamodbav:"expires_at"` // s

	messages []domain.Message // in Body, with their numbers
}

// margin is how long after it has expired a row can be deleted.
const margin = 24 * time.Hour

// newLogRow returns the row that follows the end of a log.
func newLogRow(to domain.Recipients, last logEnd, messages []domain.Message, now time.Time, retention time.Duration) logRow {
	r := logRow{
		Channel:  to.String(),
		logEnd:   logEnd{Seq: last.End + 1, End: last.End + int64(len(messages)), Epoch: last.Epoch},
		At:       now.UnixMilli(),
		Body:     encodeMessages(messages),
		messages: messages,
	}
	if last.expired(now) {
		r.Epoch = randomEpoch()
	}
	r.ValidUntil = max(roundedUp(now.Add(retention)), last.ValidUntil)
	r.ExpiresAt = r.ValidUntil + int64(margin/time.Second)
	return r
}

// readLogRow returns what newLogRow made. Anything else is an error: a message that is
// left out would be a hole in the log.
func readLogRow(item map[string]types.AttributeValue) (logRow, error) {
	body, _ := item[messagesAttribute].(*types.AttributeValueMemberB)
	r := logRow{
		Channel: textOf(item[channelAttribute]),
		logEnd: logEnd{
			Seq: readNumber(item[seqAttribute]), End: readNumber(item[endAttribute]),
			Epoch: domain.Epoch(textOf(item[epochAttribute])), ValidUntil: readNumber(item[validityAttribute]),
		},
		At: readNumber(item[atAttribute]), ExpiresAt: readNumber(item[expiryAttribute]),
	}
	var err error
	if body == nil {
		err = errors.New("no messages")
	} else if r.messages, err = decodeMessages(body.Value); err == nil {
		err = r.wrong()
	}
	if err != nil {
		return logRow{}, fmt.Errorf("row %d of %.40q: %w", r.Seq, r.Channel, err)
	}
	for i := range r.messages {
		r.messages[i].Seq = r.Seq + int64(i)
	}
	return r, nil
}

func (r logRow) wrong() error {
	switch {
	case !r.Epoch.Valid():
		return fmt.Errorf("epoch %.40q", r.Epoch)
	case r.Seq < 1 || r.End > domain.MaxSeq || r.End-r.Seq+1 != int64(len(r.messages)) || len(r.messages) == 0:
		return fmt.Errorf("%d messages up to %d", len(r.messages), r.End)
	case r.At < 1 || r.ValidUntil < 1:
		return fmt.Errorf("appended at %d, valid until %d", r.At, r.ValidUntil)
	}
	return nil
}

// follows reports whether nothing is missing between a row and this one.
func (r logRow) follows(other logRow) bool { return r.Seq == other.End+1 && r.Epoch == other.Epoch }

func logKey(to domain.Recipients, seq int64) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		channelAttribute: text(to.String()),
		seqAttribute:     &types.AttributeValueMemberN{Value: strconv.FormatInt(seq, 10)},
	}
}

// bodyVersion is the first byte of an encoding. For each message follow when it was sent,
// in milliseconds, and its id, sender, recipient, ref and content, each after its length.
// A ref follows a mark that says whether it was sent again. The numbers are those of package
// binary.
const (
	bodyVersion = 1
	firstMark   = "="
	againMark   = "+"
)

func encodeMessages(messages []domain.Message) []byte {
	body := []byte{bodyVersion}
	for _, m := range messages {
		body = binary.AppendVarint(body, m.SentAt.UnixMilli())
		for _, text := range []string{string(m.ID), m.Sender, m.To, markedRef(m), string(m.Content)} {
			body = binary.AppendUvarint(body, uint64(len(text)))
			body = append(body, text...)
		}
	}
	return body
}

// markedRef returns the ref after its mark, and nothing without one.
func markedRef(m domain.Message) string {
	switch {
	case m.Ref == "":
		return ""
	case m.Again:
		return againMark + m.Ref
	}
	return firstMark + m.Ref
}

// decodeMessages returns messages that share their contents with the body.
func decodeMessages(body []byte) (messages []domain.Message, err error) {
	if len(body) == 0 || body[0] != bodyVersion {
		return nil, fmt.Errorf("messages in an unknown format: %.10q", body)
	}
	for d := (decoder{rest: body[1:]}); len(d.rest) > 0; {
		m := domain.Message{SentAt: time.UnixMilli(d.number()).UTC()}
		m.ID, m.Sender, m.To = domain.MessageID(d.bytes()), string(d.bytes()), string(d.bytes())
		m.Ref, m.Again = d.ref()
		m.Content = d.bytes()
		if d.torn || !m.ID.Valid() || !domain.Plausible(m.SentAt) || len(m.Content) == 0 {
			return nil, fmt.Errorf("message %d of a row cannot be read", len(messages)+1)
		}
		messages = append(messages, m)
	}
	return messages, nil
}

// decoder reads from a body until that is torn.
type decoder struct {
	rest []byte
	torn bool
}

func (d *decoder) number() int64 {
	n, length := binary.Varint(d.rest)
	d.skip(length)
	return n
}

func (d *decoder) bytes() []byte {
	n, length := binary.Uvarint(d.rest)
	if d.skip(length); n > uint64(len(d.rest)) {
		d.torn = true
		return nil
	}
	taken := d.rest[:n:n]
	d.rest = d.rest[n:]
	return taken
}

// ref reads what markedRef returned.
func (d *decoder) ref() (ref string, again bool) {
	marked := string(d.bytes())
	if marked == "" {
		return "", false
	}
	mark, ref := marked[:1], marked[1:]
	d.torn = d.torn || ref == "" || mark != firstMark && mark != againMark
	return ref, mark == againMark
}

// skip moves on behind a number, whose length is not positive if there is none.
func (d *decoder) skip(length int) {
	if length <= 0 {
		d.torn, length = true, len(d.rest)
	}
	d.rest = d.rest[length:]
}
