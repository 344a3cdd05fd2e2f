package wsgateway

import (
	"bytes"
	"encoding/json"
	"strings"
)

// selectRoute evaluates $request.body.action: it returns the key of the route with
// exactly that name, or $default. A message cannot select a predefined route by name.
func (g *Gateway) selectRoute(body []byte) string {
	action := unquote(memberString(body, "action"))
	if _, ok := g.cfg.Routes[action]; !ok || strings.HasPrefix(action, "$") {
		return defaultRoute
	}
	return action
}

// memberString returns the last member with the name in a JSON object, still quoted,
// or nil if it is not a string or body is not a JSON object. Decoding into a struct
// would ignore the case of the name, and decoding into a map takes three times as
// long.
func memberString(body []byte, name string) (value []byte) {
	body = bytes.TrimLeft(body, " \t\r\n")
	if !bytes.HasPrefix(body, []byte("{")) || !json.Valid(body) {
		return nil
	}
	depth, named := 0, false
	for len(body) > 0 {
		token := body[:1]
		switch body[0] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			token = quoted(body)
			switch isName := followedByColon(body[len(token):]); {
			case depth > 1:
			case isName:
				named = unquote(token) == name
				if named {
					value = nil
				}
			case named:
				value = token
			}
		}
		body = body[len(token):]
	}
	return value
}

// quoted returns the string literal at the start of text, which is valid JSON.
func quoted(text []byte) []byte {
	i := 1
	for text[i] != '"' {
		if text[i] == '\\' {
			i++ // an escaped quote does not end the literal
		}
		i++
	}
	return text[:i+1]
}

func followedByColon(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte(":"))
}

// unquote returns the value of a string literal, or "" for nil.
func unquote(literal []byte) string {
	if len(literal) == 0 {
		return ""
	}
	if bytes.IndexByte(literal, '\\') < 0 {
		return string(literal[1 : len(literal)-1])
	}
	var text string
	_ = json.Unmarshal(literal, &text) // cannot fail: the literal is valid JSON
	return text
}
