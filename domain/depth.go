package domain

// MaxDepth is how many levels of arrays and objects a client's frame may have,
// the frame's own object included. The envelope that its content goes into has two
// more. Readers have limits of their own, of 1,000 levels and up in Python, Java
// and Go, and one message that a client cannot read costs it all that share the
// frame.
const MaxDepth = 512

// Deeper reports whether JSON text opens more than so many arrays and objects
// inside one another. It reads on in text that is no JSON, too, where brackets
// count as if it were.
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
