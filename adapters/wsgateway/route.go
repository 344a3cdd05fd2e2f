package wsgateway

import (
	"bytes"
	"encoding/json"
	"strings"
)

// selectRoute evaluates $request.body.action: it returns the key of the route
// that is named exactly so, or $default. A message cannot name a route that API
// Gateway predefines.
func (g *Gateway) selectRoute(body []byte) string {
	action := unquote(memberString(body, "action"))
	if _, ok := g.cfg.Routes[action]; !ok || strings.HasPrefix(action, "$") {
		return defaultRoute
	}
	return action
}

// memberString returns the string, still quoted, that is the last member of that
// name in a JSON object; nil when body is something else. Decoding into a struct
// would match the name in any case, and into a map takes three times as long.
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

// quoted returns the string literal with which valid JSON begins.
func quoted(text []byte) []byte {
	i := 1
	for text[i] != '"' {
		if text[i] == '\\' {
			i++ // so that an escaped quote does not end it
		}
		i++
	}
	return text[:i+1]
}

func followedByColon(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte(":"))
}

// unquote returns what a string literal stands for; "" for nil.
func unquote(literal []byte) string {
	if len(literal) == 0 {
		return ""
	}
	if bytes.IndexByte(literal, '\\') < 0 {
		return string(literal[1 : len(literal)-1])
	}
	var text string
	_ = json.Unmarshal(literal, &text) // cannot fail: it is a part of valid JSON
	return text
}
