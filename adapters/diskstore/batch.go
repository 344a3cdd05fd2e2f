package diskstore

import (
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"
)

// batch is a transaction on the newest file.
type batch struct {
	tx  *bbolt.Tx
	now time.Time
	// sum stands for all that the file holds. It is stored with the number of the
	// transaction: a page that has been replaced by an older one has good checksums, but
	// these two are wrong.
	sum uint64
}

func newBatch(tx *bbolt.Tx, now time.Time) *batch {
	b := &batch{tx: tx, now: now}
	if stored := tx.Bucket(sumBucket).Get(sumKey); stored != nil {
		b.sum = binary.BigEndian.Uint64(stored)
	}
	return b
}

// share is what a value adds to the sum.
func share(value []byte) uint64 { return 1<<32 + uint64(binary.BigEndian.Uint32(value)) }

// fill is how full pages are when they are split. Keys ascend, so little comes to the
// first half later.
const fill = 0.9

func (b *batch) put(bucket, key, payload []byte) error {
	values := b.tx.Bucket(bucket)
	values.FillPercent = fill
	if old := values.Get(key); old != nil {
		b.sum -= share(old)
	}
	value := withChecksum(key, payload)
	b.sum += share(value)
	return values.Put(key, value)
}

func (b *batch) delete(bucket, key []byte) error {
	values := b.tx.Bucket(bucket)
	old := values.Get(key)
	if old == nil {
		return nil
	}
	b.sum -= share(old)
	return values.Delete(key)
}

// finish is the last call before the commit.
func (b *batch) finish() error {
	return b.tx.Bucket(sumBucket).Put(sumKey, binary.BigEndian.AppendUint64(number(b.sum), uint64(b.tx.ID())))
}
