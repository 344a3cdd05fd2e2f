package diskstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"serverless-websocket/domain"
)

// Each value begins with a checksum of its key and of itself: bbolt has none.
const checksumBytes = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged means that bytes are not those that were written.
var errDamaged = errors.New("damaged")

func checksum(key, payload []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, payload)
}

func withChecksum(key, payload []byte) []byte {
	value := binary.BigEndian.AppendUint32(make([]byte, 0, checksumBytes+len(payload)), checksum(key, payload))
	return append(value, payload...)
}

// payloadOf returns the value without its checksum. The error is errDamaged.
func payloadOf(key, value []byte) ([]byte, error) {
	if len(value) < checksumBytes || binary.BigEndian.Uint32(value) != checksum(key, value[checksumBytes:]) {
		return nil, fmt.Errorf("%w: the value of %.80q", errDamaged, key)
	}
	return value[checksumBytes:], nil
}

// record is a message as it is stored.
type record struct {
	at      time.Time // when it was appended
	epoch   string    // without the log's name
	before  int64     // the number in the key of the last message before the epoch
	message []byte    // see encodeMessage
}

func (r record) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(r.at.UnixNano()))
	b = binary.AppendUvarint(appendText(b, r.epoch), uint64(r.before))
	return append(b, r.message...)
}

// decodeRecord returns a record that refers to the payload.
func decodeRecord(payload []byte) (r record, err error) {
	if len(payload) < 8 {
		return r, errDamaged
	}
	r.at = time.Unix(0, int64(binary.BigEndian.Uint64(payload)))
	r.epoch, r.message, err = cutText(payload[8:])
	before, n := binary.Uvarint(r.message)
	if err != nil || n <= 0 {
		return r, errDamaged
	}
	r.before, r.message = int64(before), r.message[n:]
	return r, nil
}

// encodeMessage encodes all but the number.
func encodeMessage(m domain.Message) []byte {
	b := binary.AppendVarint(nil, m.SentAt.UnixMilli())
	for _, text := range []string{string(m.ID), m.Sender, m.To, m.Ref} {
		b = appendText(b, text)
	}
	again := byte(0)
	if m.Again {
		again = 1
	}
	return append(append(b, again), m.Content...)
}

// decodeMessage returns a message that refers to nothing of b.
func decodeMessage(b []byte, seq int64) (domain.Message, error) {
	ms, n := binary.Varint(b)
	if n <= 0 {
		return domain.Message{}, errDamaged
	}
	b = b[n:]
	var texts [4]string
	for i := range texts {
		var err error
		if texts[i], b, err = cutText(b); err != nil {
			return domain.Message{}, err
		}
	}
	if len(b) == 0 {
		return domain.Message{}, errDamaged
	}
	return domain.Message{
		ID: domain.MessageID(texts[0]), SentAt: time.UnixMilli(ms).UTC(), Sender: texts[1], To: texts[2],
		Ref: texts[3], Again: b[0] == 1, Content: slices.Clone(domain.Content(b[1:])), Seq: seq,
	}, nil
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func cutText(b []byte) (text string, rest []byte, err error) {
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return "", nil, errDamaged
	}
	end := n + int(length)
	return string(b[n:end]), b[end:], nil
}

// job is what a queue keeps.
type job struct {
	key         uint64
	queue, body string
}

func (j job) encode() []byte { return append(appendText(nil, j.queue), j.body...) }

func decodeJob(key, payload []byte) (job, error) {
	queue, body, err := cutText(payload)
	if err != nil || len(key) != 8 {
		return job{}, errDamaged
	}
	return job{binary.BigEndian.Uint64(key), queue, string(body)}, nil
}
