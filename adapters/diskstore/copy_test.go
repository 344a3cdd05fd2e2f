package diskstore

import (
	"bytes"
	"errors"
	"log/slog"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"serverless-websocket/domain"
	"serverless-websocket/ports"
)

// restores are ways to get $DATA from $BACKUP, which cp -a made.
var restores = map[string]string{
	"in its place":          `rm -rf "$DATA" && cp -a "$BACKUP" "$DATA"`,
	"beside the original":   `mv "$DATA" "$DATA.aside" && cp -a "$BACKUP" "$DATA"`,
	"the backup itself":     `rm -rf "$DATA" && mv "$BACKUP" "$DATA"`,
	"from an archive":       `tar cf "$DATA.tar" -C "$BACKUP" . && rm -rf "$DATA"/* && tar xpf "$DATA.tar" -C "$DATA"`,
	"over the files":        `tar cf - -C "$BACKUP" . | tar xpf - -C "$DATA"`,
	"into the files":        `cp "$BACKUP"/* "$DATA"`,
	"into them, with times": `cp -a "$BACKUP"/. "$DATA"`,
	"with dd":               `cd "$BACKUP" && find . -type f -exec dd if={} of="$DATA"/{} status=none \;`,
}

// A restored backup uses no number again that was used after it was made.
func TestARestoredCopyMakesANewLog(t *testing.T) {
	for name, restore := range restores {
		for _, end := range []string{"a stop", "a crash"} {
			t.Run(name+" after "+end, func(t *testing.T) {
				dir, quiet := filepath.Join(t.TempDir(), "data"), domain.ToRoom("quiet")
				s := open(t, dir, Options{})
				none, err := s.End(t.Context(), quiet)
				if err != nil {
					t.Fatal(err)
				}
				places := add(t, s, goals, 1)
				keep(t, s, "job")
				stop(t, s)
				shell(t, dir, `cp -a "$DATA" "$BACKUP"`)
				s = open(t, dir, Options{})
				places = append(places, add(t, s, goals, 2, 3)...)
				if end == "a crash" {
					crash(t, s)
				}
				stop(t, s)
				shell(t, dir, restore)

				s, log := openLogged(t, dir)
				if strings.Count(log.String(), "is a copy") != 1 {
					t.Errorf("the log is %q", log)
				}
				add(t, s, goals, 12, 13, 14)
				for _, p := range places {
					if _, err := s.After(t.Context(), goals, p, 1000); !errors.Is(err, ports.ErrReset) {
						t.Errorf("after %q: %v, want ErrReset", p, err)
					}
				}
				if _, err := s.After(t.Context(), quiet, none, 1000); !errors.Is(err, ports.ErrReset) {
					t.Errorf("after the place without messages: %v, want ErrReset", err)
				}
				if got := contents(t, s, goals, domain.Position{}); !slices.Equal(got, want(1, 12, 13, 14)) {
					t.Errorf("%q are kept", got)
				}
				if s.Found().Jobs != 1 {
					t.Errorf("found %+v", s.Found())
				}
				staysTheSame(t, s)
			})
		}
	}
}

// A copy that was made while the store was open, and was idle, is as good as any other. If it
// is written into the files, only what a stop leaves there tells.
func TestACopyOfAnOpenStoreMakesANewLog(t *testing.T) {
	for name, restore := range restores {
		t.Run(name, func(t *testing.T) {
			s := open(t, filepath.Join(t.TempDir(), "data"), Options{})
			add(t, s, goals, 1)
			shell(t, s.dir, `cp -a "$DATA" "$BACKUP"`)
			lost := add(t, s, goals, 2)[0]
			stop(t, s)
			shell(t, s.dir, restore)
			s = open(t, s.dir, Options{})
			add(t, s, goals, 12)
			if _, err := s.After(t.Context(), goals, lost, 1000); !errors.Is(err, ports.ErrReset) {
				t.Errorf("after %q: %v, want ErrReset", lost, err)
			}
		})
	}
}

// What moves a directory without making other files is no copy. Neither is a crash, at
// whatever time.
func TestNoCopy(t *testing.T) {
	for name, move := range map[string]string{
		"a restart":            `true`,
		"renamed":              `mv "$DATA" "$BACKUP" && mv "$BACKUP" "$DATA"`,
		"there and back":       `mkdir "$BACKUP" && mv "$DATA"/* "$BACKUP" && rm -r "$DATA" && mv "$BACKUP" "$DATA"`,
		"other rights":         `chmod -R g+rX "$DATA" && touch "$DATA"/*`,
		"copied all the while": `cp -a "$DATA" "$BACKUP"`,
		"an unfinished index":  `cp "$DATA/index" "$DATA/index.new"`,
	} {
		for _, end := range []string{"a stop", "a crash"} {
			t.Run(name+" after "+end, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "data")
				s := open(t, dir, Options{})
				first := add(t, s, goals, 1, 2)[0]
				if end == "a crash" {
					crash(t, s)
				}
				stop(t, s)
				shell(t, dir, move)
				s, log := openLogged(t, dir)
				if got := contents(t, s, goals, first); !slices.Equal(got, want(2)) || log.Len() > 0 {
					t.Errorf("after the first: %q; the log is %q", got, log)
				}
				staysTheSame(t, s)
			})
		}
	}
}

// staysTheSame checks that other starts find the same log.
func staysTheSame(t *testing.T, s *Store) {
	t.Helper()
	name := s.name
	for range 2 {
		if s = reopen(t, s); s.name != name {
			t.Error("another start made a new log")
		}
	}
}

func stop(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// crash has the next stop leave the index that was there before it, the very file.
func crash(t *testing.T, s *Store) {
	t.Helper()
	shell(t, s.dir, `ln "$DATA/index" "$DATA.index"`)
	stop(t, s)
	shell(t, s.dir, `mv "$DATA.index" "$DATA/index"`)
}

// shell runs a script about the directory DATA and another one, BACKUP.
func shell(t *testing.T, dir, script string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
	cmd.Env = append(cmd.Environ(), "DATA="+dir, "BACKUP="+dir+".backup")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

func openLogged(t *testing.T, dir string) (*Store, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	return open(t, dir, Options{Log: slog.New(slog.NewTextHandler(&log, nil))}), &log
}

// beOriginal has the next start take a copy for an original.
func beOriginal(t *testing.T, dir string) {
	t.Helper()
	s := &Store{dir: dir}
	was := s.readIndex()
	s.name, s.dropped = was.name, was.dropped
	if err := s.writeIndex(was.days); err != nil {
		t.Fatal(err)
	}
}
