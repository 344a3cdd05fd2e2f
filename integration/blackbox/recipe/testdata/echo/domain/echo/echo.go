// Package echo is a use case for trying a connection: it returns what a client sent.
package echo

import "serverless-websocket/domain"

// Echo returns the content. The errors are those of domain.ParseContent.
func Echo(raw []byte) (domain.Content, error) { return domain.ParseContent(raw) }
