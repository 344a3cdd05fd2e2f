package wsgateway

import (
	"testing"
	"unsafe"
)

// One byte more would take 32 bytes more for each connection.
func TestSizeOfAConnection(t *testing.T) {
	if size := unsafe.Sizeof(conn{}); size > 480 {
		t.Errorf("%d bytes", size)
	}
}
