package domain

// MaxDepth is how many levels of arrays and objects a client's frame may have,
// including the frame's own object. The envelope around its content has two more.
// JSON readers have limits too, of 1,000 levels and more in Python, Java and Go, and a
// client that cannot read one message loses all others in the same frame.
const MaxDepth = 512

// Deeper reports whether JSON text nests arrays and objects more than that many
// levels deep. In text that is not JSON it counts brackets in the same way.
func Deeper[T ~string | ~[]byte](text T, levels int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++ // an escaped quote does not end the string
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > levels {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
