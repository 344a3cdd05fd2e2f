//go:build !unix

package wsgateway

// sendNow sends nothing: everything is left to the flusher.
func sendNow(int, []byte) (int, error) { return 0, nil }
