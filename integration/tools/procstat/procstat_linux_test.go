package procstat_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"serverless-websocket/integration/tools/procstat"
)

// What is mapped of a file is not memory that a process needs.
func TestMappedFilesDoNotCount(t *testing.T) {
	const size = 64 << 20
	file, err := os.Create(filepath.Join(t.TempDir(), "mapped"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	before, err := procstat.Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	mapped, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(mapped)
	for i := 0; i < size; i += os.Getpagesize() {
		mapped[i] = 1
	}
	after, err := procstat.Of(os.Getpid())
	if err != nil || after.Memory-before.Memory > size/2 {
		t.Errorf("%d bytes more, %v", after.Memory-before.Memory, err)
	}
}
