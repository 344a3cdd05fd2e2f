package diskstore

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// sample is a directory with messages and jobs of three days.
type sample struct {
	dir  string
	to   []domain.Recipients
	ends []domain.Position   // by channel
	want map[string][]string // contents of the messages of a day; all channels have the same
}

func newSample(t *testing.T) *sample {
	p := &sample{dir: t.TempDir(), want: make(map[string][]string)}
	for _, name := range []string{"a", "b", "c", "d"} {
		p.to = append(p.to, domain.ToRoom(name))
	}
	s := open(t, p.dir, Options{Retention: 30 * 24 * time.Hour})
	for n := range 300 {
		if n > 0 && n%100 == 0 {
			time.Sleep(24 * time.Hour)
		}
		for _, to := range p.to {
			add(t, s, to, n)
		}
		if _, err := keepIn(t.Context(), s.Journal("jobs"), string(message(n).Content)); err != nil {
			t.Fatal(err)
		}
		p.want[dayOf(time.Now())] = append(p.want[dayOf(time.Now())], want(n)...)
	}
	for _, to := range p.to {
		end, err := s.End(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		p.ends = append(p.ends, end)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return p
}

// used is how many bytes of a file bbolt reads.
func used(t *testing.T, path string) int64 {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := &checker{file: f}
	if _, err := c.meta(); err != nil {
		t.Fatal(err)
	}
	return int64(c.pages * c.pageSize)
}

// Whatever byte of whatever file is wrong or missing: the store opens, has all that is in
// the other files, and tells clients. A byte that nobody reads does no harm.
func TestDamageAnywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, random := newSample(t), rand.New(rand.NewPCG(3, 4))
		harmless := 0
		for range 300 {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(p.dir)); err != nil {
				t.Fatal(err)
			}
			beOriginal(t, dir)
			day := []string{"2000-01-01", "2000-01-02", "2000-01-03"}[random.IntN(3)]
			what := damage(t, dir+"/"+fileName(day), random)
			if damaged := p.check(t, dir, day); !damaged {
				harmless++
			}
			if t.Failed() {
				t.Fatalf("%s of %s", what, day)
			}
		}
		t.Logf("%d of 300 did no harm", harmless)
	})
}

// damage changes the file at random, and says how.
func damage(t *testing.T, path string, random *rand.Rand) string {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at := random.Int64N(used(t, path))
	switch random.IntN(4) {
	case 0:
		if err := f.Truncate(at); err != nil {
			t.Fatal(err)
		}
		return "truncated"
	case 1: // a page that was not written
		if _, err := f.WriteAt(make([]byte, 4096), at&^4095); err != nil {
			t.Fatal(err)
		}
		return "a page of zeros"
	}
	if random.IntN(2) == 0 {
		at = at&^4095 + random.Int64N(200) // the headers of pages
	}
	var one [1]byte
	if _, err := f.ReadAt(one[:], at); err != nil {
		t.Fatal(err)
	}
	one[0] ^= 1 << random.IntN(8)
	if _, err := f.WriteAt(one[:], at); err != nil {
		t.Fatal(err)
	}
	return "a flipped bit"
}

// check opens the directory twice and checks what is there, with one day damaged or not.
func (p *sample) check(t *testing.T, dir, day string) (damaged bool) {
	s := open(t, dir, Options{Retention: 30 * 24 * time.Hour})
	found := s.Found()
	damaged = len(found.Damaged) > 0
	wantJobs, rest := 300, slices.Concat(p.want["2000-01-01"], p.want["2000-01-02"], p.want["2000-01-03"])
	if damaged {
		switch day {
		case "2000-01-01":
			rest = rest[100:]
		case "2000-01-02":
			rest = rest[200:]
		default:
			rest, wantJobs = rest[:200], 0
		}
	}
	if found.Jobs != wantJobs || len(found.Damaged) > 1 {
		t.Errorf("found %+v", found)
	}
	for i, to := range p.to {
		if got := contents(t, s, to, domain.Position{}); !slices.Equal(got, rest) {
			t.Errorf("%d messages, want %d", len(got), len(rest))
		}
		if _, err := s.After(t.Context(), to, p.ends[i], 1); errors.Is(err, ports.ErrReset) != damaged {
			t.Errorf("after the end: %v", err)
		}
		add(t, s, to, 1000)
	}
	s = reopen(t, s)
	got := contents(t, s, p.to[0], domain.Position{})
	if !slices.Equal(got, append(rest, want(1000)...)) || len(s.Found().Damaged) > 0 {
		t.Errorf("%d messages after another start, want %d; found %+v", len(got), len(rest)+1, s.Found())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return damaged
}

// Small buckets are in the page that lists them, and bbolt takes on trust what it has written
// there. No bit of it may be wrong, but for one: the page may claim a free one behind it.
func TestDamageOfTheListOfBuckets(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	add(t, s, goals, 1, 2, 3)
	keep(t, s, "job")
	path := s.path(s.newestName())
	stop(t, s)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole := &checker{file: bytes.NewReader(good)}
	root, err := whole.meta()
	if err != nil {
		t.Fatal(err)
	}
	page := int(root * whole.pageSize)
	end := page + bytes.LastIndex(good[page:page+int(whole.pageSize)], sumKey) + len(sumKey) + 16 // its value
	for at := page; at < end; at++ {
		for bit := range 8 {
			bad := slices.Clone(good)
			bad[at] ^= 1 << bit
			overflow := at >= page+12 && at < page+pageHeader
			if err := (&checker{file: bytes.NewReader(bad)}).run(); err == nil && !overflow {
				t.Errorf("bit %d of byte %d of %d may be wrong", bit, at-page, end-page)
			}
		}
	}
}

// A file that shows an older state of a page is damaged, though each value is good. Of the
// first two pages, one is always old.
func TestAnOldPageIsDamage(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	add(t, s, goals, 1)
	path := s.path(s.newestName())
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	add(t, s, goals, 2, 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for at := 2 * 4096; at+4096 <= min(len(before), len(after)); at += 4096 {
		if slices.Equal(before[at:at+4096], after[at:at+4096]) {
			continue
		}
		mixed := slices.Clone(after)
		copy(mixed[at:], before[at:at+4096])
		if err := os.WriteFile(path, mixed, 0o600); err != nil {
			t.Fatal(err)
		}
		has, err := check(path)
		if err != nil {
			found++
		} else if has.messages != 3 {
			t.Errorf("page %d is old, and %d messages are all", at/4096, has.messages)
		}
	}
	if found == 0 {
		t.Error("no page is noticed")
	}
}

// A key in a branch is that of its first child. Any other can be in order too, but the next
// write would put a second one beside it.
func TestAWrongKeyInABranchIsDamage(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	for n := range 100 {
		add(t, s, domain.ToRoom("a"), n)
		add(t, s, domain.ToRoom("z"), n)
	}
	path := s.path(s.newestName())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	keys, missed := branchKeys(t, file), 0
	for _, key := range keys {
		for bit := range 8 * len(key) {
			key[bit/8] ^= 1 << (bit % 8) // in the file
			if (&checker{file: bytes.NewReader(file)}).run() == nil {
				missed++
			}
			key[bit/8] ^= 1 << (bit % 8)
		}
	}
	if len(keys) == 0 || missed > 0 {
		t.Errorf("%d wrong bits of %d keys are not noticed", missed, len(keys))
	}
}

// branchKeys returns the keys of all branches in use. They are in the file's memory.
func branchKeys(t *testing.T, file []byte) (keys [][]byte) {
	t.Helper()
	c := &checker{file: bytes.NewReader(file)}
	if err := c.run(); err != nil {
		t.Fatal(err)
	}
	for id, seen := range c.seen {
		page := file[uint64(id)*c.pageSize:][:c.pageSize]
		if !seen || native.Uint16(page[8:]) != branchPage {
			continue
		}
		for i := range int(native.Uint16(page[10:])) {
			key, _ := branch(page, i)
			keys = append(keys, key)
		}
	}
	return keys
}
