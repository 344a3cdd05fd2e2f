package diskstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"slices"
	"time"
)

// content is what a file has.
type content struct {
	messages    int
	first, last time.Time // when messages were appended
	jobs        []job
	sum         uint64 // see batch.sum
	stored      []byte // sum and transaction
}

// checker reads a file by bbolt's format, of version 2, without bbolt: over damaged pages
// that loops, or ends the process. It accepts no page that bbolt would stumble over.
//
//	https://github.com/etcd-io/bbolt/tree/v1.5.0/internal/common
type checker struct {
	file     io.ReaderAt
	pageSize uint64
	pages    uint64 // in use or free; those behind are rubbish
	seen     []bool // by page
	newest   uint64 // transaction
	content  content
}

// The layout of pages and of the first two, which say where the others begin.
const (
	pageHeader  = 16 // id 8, flags 2, count 2, overflow 4
	elementSize = 16
	metaBytes   = 56 // before its checksum
	metaMagic   = 0xED0CDAED
	metaVersion = 2
	noFreelist  = 1<<64 - 1

	branchPage   = 0x01
	leafPage     = 0x02
	bucketFlag   = 0x01 // of an element: its value is a bucket
	bucketHeader = 16   // root 8, sequence 8
)

var native = binary.NativeEndian

// check reads a whole file. The error is errDamaged, or that of opening the file.
func check(path string) (content, error) {
	f, err := os.Open(path)
	if err != nil {
		return content{}, err
	}
	defer f.Close()
	c := &checker{file: f}
	if err := c.run(); err != nil {
		return content{}, fmt.Errorf("%w: %v", errDamaged, err)
	}
	return c.content, nil
}

func (c *checker) run() (err error) {
	defer func() {
		if cause := recover(); cause != nil { // such as an index out of range
			err = fmt.Errorf("%v", cause)
		}
	}()
	root, err := c.meta()
	if err != nil {
		return err
	}
	c.seen = make([]bool, c.pages)
	var found [][]byte
	err = c.tree(root, nil, nil, func(flags uint32, key, value []byte) error {
		found = append(found, key)
		return c.bucket(flags, key, value)
	})
	if err != nil {
		return err
	}
	if !slices.EqualFunc(found, buckets, bytes.Equal) {
		return fmt.Errorf("the buckets are %q, which another version may have written", found)
	}
	if !bytes.Equal(c.content.stored, append(number(c.content.sum), number(c.newest)...)) {
		return errors.New("some values are missing, or are old")
	}
	return nil
}

// meta reads the first two pages, which describe the last two transactions. Both must be
// good: with only one, it is not known whether a transaction is missing.
func (c *checker) meta() (root uint64, err error) {
	head := make([]byte, pageHeader+metaBytes+8)
	if err := c.read(head, 0); err != nil {
		return 0, err
	}
	c.pageSize = uint64(native.Uint32(head[pageHeader+8:]))
	var freelist uint64
	for i := range uint64(2) {
		if err := c.read(head, i*c.pageSize); err != nil {
			return 0, err
		}
		meta := head[pageHeader:]
		hash := fnv.New64a()
		hash.Write(meta[:metaBytes])
		known := native.Uint32(meta) == metaMagic && native.Uint32(meta[4:]) == metaVersion
		if !known || native.Uint64(meta[metaBytes:]) != hash.Sum64() {
			return 0, fmt.Errorf("page %d", i)
		}
		if transaction := native.Uint64(meta[48:]); transaction >= c.newest {
			c.newest, root = transaction, native.Uint64(meta[16:])
			freelist, c.pages = native.Uint64(meta[32:]), native.Uint64(meta[40:])
		}
	}
	if freelist != noFreelist {
		return 0, errors.New("the file was written by another program")
	}
	return root, nil
}

func (c *checker) read(b []byte, at uint64) error {
	_, err := c.file.ReadAt(b, int64(at))
	return err
}

// page reads a page with what overflows it.
func (c *checker) page(id uint64) ([]byte, error) {
	header := make([]byte, pageHeader)
	if id < 2 || id >= c.pages {
		return nil, fmt.Errorf("there is no page %d", id)
	}
	if err := c.read(header, id*c.pageSize); err != nil {
		return nil, err
	}
	more := uint64(native.Uint32(header[12:]))
	if native.Uint64(header) != id || id+more >= c.pages {
		return nil, fmt.Errorf("page %d has a wrong header", id)
	}
	for i := id; i <= id+more; i++ {
		if c.seen[i] {
			return nil, fmt.Errorf("page %d is in two places", i)
		}
		c.seen[i] = true
	}
	page := make([]byte, (1+more)*c.pageSize)
	return page, c.read(page, id*c.pageSize)
}

// tree visits the leaves under a page, whose keys must begin with low and be below high, if
// these are not nil: bbolt finds the entry of a page in its branch by the page's first key.
func (c *checker) tree(id uint64, low, high []byte, visit visitor) error {
	page, err := c.page(id)
	if err != nil {
		return err
	}
	if native.Uint16(page[8:]) == leafPage {
		return leaf(page, low, high, visit)
	}
	count := int(native.Uint16(page[10:]))
	if native.Uint16(page[8:]) != branchPage || count == 0 {
		return fmt.Errorf("page %d is neither branch nor leaf", id)
	}
	for i := range count {
		key, child := branch(page, i)
		next := high
		if i+1 < count {
			next, _ = branch(page, i+1)
		}
		if i == 0 && low != nil && !bytes.Equal(key, low) || next != nil && bytes.Compare(key, next) >= 0 {
			return fmt.Errorf("page %d is out of order", id)
		}
		if err := c.tree(child, key, next, visit); err != nil {
			return err
		}
	}
	return nil
}

// visitor is called for each element of a leaf.
type visitor func(flags uint32, key, value []byte) error

// branch returns an element of a branch: position 4, key size 4, page 8.
func branch(page []byte, i int) (key []byte, child uint64) {
	at := pageHeader + i*elementSize
	start := at + int(native.Uint32(page[at:]))
	return page[start : start+int(native.Uint32(page[at+4:]))], native.Uint64(page[at+8:])
}

// leaf visits the elements of a leaf: flags 4, position 4, key size 4, value size 4.
func leaf(page, low, high []byte, visit visitor) error {
	previous := []byte(nil)
	for i := range int(native.Uint16(page[10:])) {
		at := pageHeader + i*elementSize
		start := at + int(native.Uint32(page[at+4:]))
		middle := start + int(native.Uint32(page[at+8:]))
		key, value := page[start:middle], page[middle:middle+int(native.Uint32(page[at+12:]))]
		outside := i == 0 && low != nil && !bytes.Equal(key, low) || high != nil && bytes.Compare(key, high) >= 0
		if outside || i > 0 && bytes.Compare(key, previous) <= 0 {
			return fmt.Errorf("the key %.80q is out of order", key)
		}
		if err := visit(native.Uint32(page[at:]), key, value); err != nil {
			return err
		}
		previous = key
	}
	return nil
}

// bucket reads a bucket, which is in pages of its own or, if it is small, in the value.
func (c *checker) bucket(flags uint32, name, value []byte) error {
	if flags != bucketFlag {
		return fmt.Errorf("%.80q is not a bucket", name)
	}
	visit := func(flags uint32, key, value []byte) error {
		if flags != 0 {
			return fmt.Errorf("%.80q has wrong flags", key)
		}
		return c.value(name, key, value)
	}
	root, sequence, inline := native.Uint64(value), native.Uint64(value[8:]), value[bucketHeader:]
	if sequence != 0 || root != 0 && len(inline) > 0 {
		return fmt.Errorf("%.80q has a wrong header", name)
	}
	if root != 0 {
		return c.tree(root, nil, nil, visit)
	}
	if native.Uint16(inline[8:]) != leafPage || !isInline(inline) {
		return fmt.Errorf("%.80q is not a leaf", name)
	}
	return leaf(inline, nil, nil, visit)
}

// isInline reports whether a leaf has no number, no overflow, and nothing behind its last
// element. bbolt would free the pages of that number, and cut off what is behind the size.
func isInline(page []byte) bool {
	end := pageHeader
	if count := int(native.Uint16(page[10:])); count > 0 {
		at := pageHeader + (count-1)*elementSize
		end = at + int(native.Uint32(page[at+4:])) + int(native.Uint32(page[at+8:])) + int(native.Uint32(page[at+12:]))
	}
	return native.Uint64(page) == 0 && native.Uint32(page[12:]) == 0 && end == len(page)
}

// value checks one value and notes what it is.
func (c *checker) value(bucket, key, value []byte) error {
	if bytes.Equal(bucket, sumBucket) {
		if c.content.stored != nil || !bytes.Equal(key, sumKey) {
			return fmt.Errorf("%.80q is not the sum", key)
		}
		c.content.stored = value
		return nil
	}
	payload, err := payloadOf(key, value)
	if err != nil {
		return err
	}
	c.content.sum += share(value)
	switch {
	case bytes.Equal(bucket, messageBucket):
		return c.content.addMessage(payload)
	case bytes.Equal(bucket, conversationBucket):
		_, err := decodeRecord(payload)
		return err
	case bytes.Equal(bucket, jobBucket):
		one, err := decodeJob(key, payload)
		c.content.jobs = append(c.content.jobs, one)
		return err
	}
	return nil
}

func (c *content) addMessage(payload []byte) error {
	r, err := decodeRecord(payload)
	if c.messages == 0 || r.at.Before(c.first) {
		c.first = r.at
	}
	if r.at.After(c.last) {
		c.last = r.at
	}
	c.messages++
	return err
}
