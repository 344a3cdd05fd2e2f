package diskstore

import (
	"errors"
	"os"
	"syscall"
)

// errSharing is what Windows answers when another has the file.
const errSharing = syscall.Errno(32)

// lockFile opens the file for no one else until it is closed, or the process ends.
func lockFile(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errSharing) {
		return nil, ErrInUse
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(handle), path), nil
}

// syncDir does nothing: Windows keeps the names itself.
func syncDir(string) error { return nil }
