//go:build !unix

package apigwposter

// hungUp cannot tell: a post on a connection that the server has closed fails.
func (c *conn) hungUp() bool { return false }
