package diskstore

import (
	"errors"
	"os"
)

// leftBehind stands for the identity of the index in a directory that was left.
const leftBehind = "left"

// Leave says in a directory that the service goes on without it: the log does not have the
// messages that are sent meanwhile, so the next Open begins it anew, as after a restored
// backup. It reports whether there was a log to leave. The error is ErrInUse, or what the
// system says of the directory.
func Leave(dir string) (left bool, err error) {
	s := &Store{dir: dir}
	if _, err := os.Stat(s.path(indexName)); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if s.lock, err = lockFile(s.path(lockName)); err != nil {
		return false, ofDir(dir, err)
	}
	defer s.lock.Close()
	was := s.readIndex()
	if was.name == "" || was.copied { // the next Open begins anew in any case
		return false, nil
	}
	s.name, s.dropped = was.name, was.dropped
	if err := s.replaceIndex(was.days, leftBehind); err != nil {
		return false, ofDir(dir, err)
	}
	return true, nil
}
