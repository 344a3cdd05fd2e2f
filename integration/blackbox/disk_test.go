package blackbox

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"serverless-websocket/integration/environments/testenv"
)

const kills = 200

// Whenever the service is killed: what it accepted reaches all who resume, once and in
// one order.
func TestNothingAcceptedIsLostByKills(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute or two")
	}
	t.Parallel() // with the other test that mostly waits
	dir, random := t.TempDir(), rand.New(rand.NewPCG(1, 2))
	resumers := []*resumer{newResumer(t, "a"), newResumer(t, "b"), newResumer(t, "c")}
	round(t, dir, resumers, false, nil)
	withJobs := 0
	for range kills {
		after := time.Duration(random.IntN(150)) * time.Millisecond
		if random.IntN(5) == 0 {
			killWhileItStarts(t, dir, after/4)
		} else {
			round(t, dir, resumers, true, func(s *standalone) {
				if s.logs.await(t, "messages are kept on disk", "directory", dir).number("jobs") > 0 {
					withJobs++
				}
				killHard(t, s, after)
			})
		}
		if t.Failed() {
			break
		}
	}
	catchUp(t, dir, resumers)
	wantOneOrder(t, resumers)
	if t.Logf("%d starts found jobs", withJobs); withJobs == 0 {
		t.Error("no kill has left jobs")
	}
}

func startOn(t *testing.T, dir string) *standalone {
	t.Helper()
	return startStandalone(t, "-data", dir, "-auth", "jwt", "-jwt-secret", jwtSecret)
}

// round starts the service and has all resumers connect. They stay until meanwhile has
// ended the service or, without it, until they know where they are.
func round(t *testing.T, dir string, resumers []*resumer, sending bool, meanwhile func(*standalone)) {
	s := startOn(t, dir)
	var group sync.WaitGroup
	for _, f := range resumers {
		group.Go(func() {
			if c, err := f.connect(t.Context(), s.webSocketURL, sending); err == nil {
				c.follow(func() bool { return meanwhile == nil && c.resumed })
			}
		})
	}
	if meanwhile != nil {
		meanwhile(s)
	}
	group.Wait()
	if meanwhile == nil {
		killHard(t, s, 0)
	}
}

// killHard ends the service as a power failure of the process would.
func killHard(t *testing.T, s *standalone, after time.Duration) {
	time.Sleep(after)
	s.signal(t, syscall.SIGKILL)
	s.process.Wait(t, patience)
}

func killWhileItStarts(t *testing.T, dir string, after time.Duration) {
	cmd := command(t, "-ws-addr", "127.0.0.1:0", "-http-addr", "127.0.0.1:0", "-management-addr", "", "-data", dir)
	p := testenv.Start(t, cmd)
	time.Sleep(after)
	if err := p.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.Wait(t, patience)
}

// catchUp has all resumers resume until they have got a last message.
func catchUp(t *testing.T, dir string, resumers []*resumer) {
	s := startOn(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	const last = `"the last"`
	var group sync.WaitGroup
	for i, f := range resumers {
		group.Go(func() {
			c, err := f.connect(ctx, s.webSocketURL, false)
			if err != nil {
				t.Error(err)
				return
			}
			if i == 0 {
				c.sendTo(everyoneChannel, last)
				c.send(map[string]any{"action": "sendMessage", "room": "goals", "content": "the last", "ref": "room"})
			}
			c.follow(func() bool { return f.has(last) })
		})
	}
	group.Wait()
}

// wantOneOrder checks that all resumers have got the same, with all that was accepted.
func wantOneOrder(t *testing.T, resumers []*resumer) {
	for _, channel := range []string{everyoneChannel, roomChannel} {
		first, total := resumers[0].got[channel], 0
		times := map[string]int{}
		for _, content := range first {
			if times[content]++; times[content] == 2 {
				t.Errorf("%s: %s comes twice", channel, content)
			}
		}
		for _, f := range resumers {
			if !slices.Equal(f.got[channel], first) {
				t.Errorf("%s: %s got %d messages, %s got %d, or others", channel, f.name, len(f.got[channel]), resumers[0].name, len(first))
			}
			lost := slices.DeleteFunc(slices.Clone(f.accepted[channel]), func(content string) bool { return times[content] > 0 })
			if total += len(f.accepted[channel]); len(lost) > 0 {
				t.Errorf("%s: %d of %s are lost: %.200s", channel, len(lost), f.name, fmt.Sprint(lost))
			}
		}
		t.Logf("%s: %d accepted, %d delivered", channel, total, len(first))
		if total == 0 {
			t.Errorf("%s: nothing was accepted", channel)
		}
	}
}

// A graceful stop leaves nothing to do, and the next start goes on with the log.
func TestDataAfterAGracefulStop(t *testing.T) {
	dir, f := t.TempDir(), newResumer(t, "a")
	round(t, dir, []*resumer{f}, false, nil)
	s := startOn(t, dir)
	c := signIn(t, s.target, token(t, "alice", nil))
	c.broadcast(`"before"`)
	c.ws.CloseNow()
	s.signal(t, syscall.SIGTERM)
	if code := s.process.Wait(t, patience); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s = startOn(t, dir)
	if e := s.logs.await(t, "messages are kept on disk", "directory", dir); e.number("messages") != 1 || e.number("jobs") != 0 || e.number("days") != 7 {
		t.Errorf("the log says %v", e)
	}
	f.catchUp(s)
	if got := f.got[everyoneChannel]; !slices.Equal(got, []string{`"before"`}) {
		t.Errorf("got %q", got)
	}
}

// What a recipient has got is in the conversation, also after a crash, once.
func TestAConversationAfterACrash(t *testing.T) {
	dir := t.TempDir()
	var ids []string
	for range 3 {
		s := startOn(t, dir)
		c := users(t, s.target, "alice", "bob")
		wantIDs(t, c[1].loadWith("alice", `"limit":2`), ids)
		for from, to := range []string{"bob", "alice"} {
			f, err := c[from].tryWrite(to)
			if err != nil || f.Accepted == nil {
				t.Fatalf("%+v, %v", f, err)
			}
			ids = append(ids, f.Accepted.ID)
			c[1-from].untilAll(ids[len(ids)-1:])
		}
		killHard(t, s, 0)
	}
	wantIDs(t, users(t, startOn(t, dir).target, "alice")[0].loadWith("bob", `"limit":4`), ids)
}

func wantIDs(t *testing.T, messages []message, want []string) {
	t.Helper()
	var got []string
	for _, m := range messages {
		got = append(got, m.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A burst of one client is accepted, numbered and delivered in the order in which it was
// sent, though its messages share the waits for the disk.
func TestABurstOnDisk(t *testing.T) {
	s := startOn(t, t.TempDir())
	c := signIn(t, s.target, token(t, "alice", nil))
	const burst = 300
	for n := range burst {
		c.send(fmt.Sprintf(`{"action":"sendMessage","content":%d,"ref":"%d"}`, n, n))
	}
	replies, messages := 0, 0
	for replies < burst || messages < burst {
		f, err := c.readFrame()
		if err != nil {
			t.Fatal(err)
		}
		if f.Accepted != nil {
			if f.Accepted.Ref != fmt.Sprint(replies) {
				t.Fatalf("reply %d is for %s", replies, f.Accepted.Ref)
			}
			replies++
		}
		for _, m := range f.Messages {
			if string(m.Content) != fmt.Sprint(messages) || m.Seq != int64(messages+1) {
				t.Fatalf("message %d is %s with number %d", messages, m.Content, m.Seq)
			}
			messages++
		}
	}
}

func TestDataInUse(t *testing.T) {
	dir := t.TempDir()
	startOn(t, dir)
	code, stdout, stderr := finish(t, command(t, "-data", dir))
	const remedy = "choose another directory with -data or SWS_DATA, or keep messages in memory alone, with -data=''"
	if code != 1 || stdout != "" || stderr != "standalone: "+dir+" is in use by another process; "+remedy+"\n" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestDataWithoutHistory(t *testing.T) {
	code, _, stderr := finish(t, command(t, "-data", t.TempDir(), "-history-days", "0"))
	wantOneLine(t, stderr, "-data needs -history-days")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
}

// The service starts without a damaged file, says which it is, and tells the clients.
func TestDamagedData(t *testing.T) {
	dir := t.TempDir()
	s := startOn(t, dir)
	position := broadcastTo(t, s, `"lost"`)
	killHard(t, s, 0)
	damage(t, dir)
	s = startOn(t, dir)
	e := s.logs.await(t, "a file is damaged and was set aside; clients will be told that messages are missing", "level", "ERROR")
	if _, err := os.Stat(e.text("file")); err != nil || !strings.Contains(e.text("file"), ".damaged-") {
		t.Errorf("the log says %v, %v", e, err)
	}
	c := signIn(t, s.target, token(t, "alice", nil))
	c.ask(`{"action":"resume","positions":{"everyone":"`+position+`"}}`, `"everyone":{"recovered":false,"reason":"reset"`)
	c.broadcast(`"goes on"`)
	c.gets(`"goes on"`, "alice", "everyone")
}

// broadcastTo broadcasts from a client of its own, and returns the position of the message.
func broadcastTo(t *testing.T, s *standalone, content string) (position string) {
	t.Helper()
	c := signIn(t, s.target, token(t, "alice", nil))
	defer c.ws.CloseNow()
	c.broadcast(content)
	if _, err := c.message(); err != nil {
		t.Fatal(err)
	}
	c.send(`{"action":"resume"}`)
	reply, err := c.rawReply()
	if err != nil {
		t.Fatal(err)
	}
	_, position, _ = strings.Cut(reply, `"everyone":{"position":"`)
	position, _, _ = strings.Cut(position, `"`)
	return position
}

// damage overwrites a part of the only file of messages.
func damage(t *testing.T, dir string) {
	files, err := filepath.Glob(filepath.Join(dir, "log-*.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	file, err := os.OpenFile(files[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(make([]byte, 100), 0); err != nil {
		t.Fatal(err)
	}
}

// After yesterday's copy has been restored, the service uses the numbers of today again, and
// tells the clients that have messages with these numbers.
func TestRestoredData(t *testing.T) {
	dir, backup := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "backup")
	copyAll := func(from, to string) {
		if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	s := startOn(t, dir)
	broadcastTo(t, s, `"before"`)
	s.signal(t, syscall.SIGTERM)
	s.process.Wait(t, patience)
	copyAll(dir, backup)
	s = startOn(t, dir)
	position := broadcastTo(t, s, `"lost"`)
	killHard(t, s, 0)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	copyAll(backup, dir)
	s = startOn(t, dir)
	s.logs.await(t, "the directory is a copy, such as a restored backup, or the service has run without it; clients will be told that messages may be missing", "level", "WARN")
	c := signIn(t, s.target, token(t, "alice", nil))
	c.broadcast(`"other"`)
	c.broadcast(`"another"`)
	c.ask(`{"action":"resume","positions":{"everyone":"`+position+`"}}`, `"everyone":{"recovered":false,"reason":"reset"`)
}

// While history is off, messages are sent that the log on disk does not have. A client that
// resumes when it is on again is told.
func TestHistorySwitchedOffAndOn(t *testing.T) {
	cmd := command(t, "-ws-addr", "127.0.0.1:0", "-http-addr", "127.0.0.1:0", "-management-addr", "")
	start := func(flags ...string) *standalone {
		again := exec.Command(cmd.Path, append(cmd.Args[1:len(cmd.Args):len(cmd.Args)], flags...)...)
		again.Dir, again.Env = cmd.Dir, cmd.Env
		return launch(t, again)
	}
	s := start()
	c := dial(t, s.target)
	position := c.resume(nil)["everyone"].Position
	c.wantMessage(c.broadcast(`"before"`).ID)
	s.stopCleanly(t)
	s = start("-history-days", "0")
	s.logs.await(t, "history is off: the log on disk will go on under a new name", "directory", "data")
	s.stopCleanly(t)
	s = start()
	dial(t, s.target).ask(`{"action":"resume","positions":{"everyone":"`+position+`"}}`, `"everyone":{"recovered":false,"reason":"reset"`)
}

// While the disk is full, the service refuses what is new and goes on serving. All that it
// has accepted is in the log as soon as there is space, also if it was killed meanwhile.
func TestDataOnAFullDisk(t *testing.T) {
	for name, killed := range map[string]bool{"it goes on": false, "it is killed": true} {
		t.Run(name, func(t *testing.T) { fullDisk(t, killed) })
	}
}

func fullDisk(t *testing.T, killed bool) {
	disk := testenv.SmallDisk(t, 4<<20)
	dir, ballast := filepath.Join(disk, "data"), filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s, f := startOn(t, dir), newResumer(t, "a")
	f.catchUp(s)
	accepted := sendUntilFull(t, s)
	if killed {
		killHard(t, s, 0)
		s = startOn(t, dir)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	sender := signIn(t, s.target, token(t, "alice", nil))
	testenv.Eventually(t, patience, "there is space", func() bool {
		_, err := sender.tryBroadcast(`"last"`)
		return err == nil
	})
	testenv.Eventually(t, patience, "all is in the log", func() bool {
		f.catchUp(s)
		return slices.Contains(f.got[everyoneChannel], `"last"`) && len(f.got[everyoneChannel]) > len(accepted)
	})
	got := slices.DeleteFunc(f.got[everyoneChannel], func(content string) bool { return content == `"last"` })
	slices.Sort(got) // what was retried can be late
	slices.Sort(accepted)
	if !slices.Equal(got, accepted) {
		t.Errorf("got %d messages, %d were accepted", len(got), len(accepted))
	}
}

// sendUntilFull sends until messages are refused again and again, and returns those that
// are accepted.
func sendUntilFull(t *testing.T, s *standalone) []string {
	sender, accepted := signIn(t, s.target, token(t, "alice", nil)), []string{`"first"`}
	sender.broadcast(`"first"`)
	time.Sleep(3 * time.Second) // from now on it sends alone, and may flood
	for refusals, n := 0, 0; refusals < 20; n++ {
		content := fmt.Sprintf(`"%d %s"`, n, strings.Repeat("x", 5000))
		if _, err := sender.tryBroadcast(content); err == nil {
			accepted = append(accepted, content)
		} else if refusals++; !strings.Contains(err.Error(), "unavailable") {
			t.Fatal(err)
		}
	}
	return accepted
}

// catchUp connects, and leaves again when the resumer has got all there is.
func (f *resumer) catchUp(s *standalone) {
	f.t.Helper()
	c, err := f.connect(f.t.Context(), s.webSocketURL, false)
	if err != nil {
		f.t.Fatal(err)
	}
	c.follow(func() bool { return c.resumed })
}
