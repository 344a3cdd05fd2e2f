package wsgateway

import (
	"bytes"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	// maxHead is the maximum size of a request's head in bytes. API Gateway allows
	// 10,240 bytes of headers and 4,096 of URL.
	maxHead = 16 << 10
	// usualHead is large enough for the heads that browsers and libraries send.
	usualHead = 2 << 10
	// maxFields is the maximum number of header fields.
	maxFields = 200
)

var errHeadTooLong = refuse(http.StatusRequestHeaderFieldsTooLarge, "Request head too long")

// request is the head of an HTTP/1 request. Its strings share one array.
type request struct {
	method string
	path   string // without the query, unescaped
	query  string // as it was sent
	minor  byte   // of the version: '0' or '1'
	host   string
	fields []field
}

// field is a header field, its name spelled as it was sent.
type field struct{ name, value string }

// is reports whether the field has the name, ignoring case.
func (f field) is(name string) bool { // names are ASCII, so equal ones have the same length
	return len(f.name) == len(name) && strings.EqualFold(f.name, name)
}

// values yields the values of all fields with the name, ignoring case.
func (r *request) values(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, f := range r.fields {
			if f.is(name) && !yield(f.value) {
				return
			}
		}
	}
}

// value returns the value of the first field with the name, and the number of such
// fields.
func (r *request) value(name string) (first string, fields int) {
	for value := range r.values(name) {
		if fields++; fields == 1 {
			first = value
		}
	}
	return first, fields
}

// readHead reads a request's head, into the buffer if it fits. rest is what was read
// beyond it. The error is the reader's or a refusal.
func readHead(from io.Reader, buffer []byte) (head, rest []byte, err error) {
	n := 0
	for {
		read, err := from.Read(buffer[n:])
		searched := max(0, n-len(endOfHead)+1)
		n += read
		if i := bytes.Index(buffer[searched:n], endOfHead); i >= 0 {
			end := searched + i + len(endOfHead)
			return buffer[:end], buffer[end:n], nil
		}
		switch {
		case n > 0 && !isToken(buffer[:1]):
			return nil, nil, badRequest("Not an HTTP request") // such as TLS: do not wait for more
		case err != nil:
			return nil, nil, err
		case n == maxHead:
			return nil, nil, errHeadTooLong
		case n == len(buffer):
			buffer = append(make([]byte, 0, maxHead), buffer...)[:maxHead]
		}
	}
}

var endOfHead = []byte("\r\n\r\n")

// parse parses a head as in RFC 9112, and refuses everything on which two parsers could
// disagree: bare line feeds, folded lines, white space around names, two hosts. The error
// is a refusal. The memory of fields that the request has had before is used again.
func (r *request) parse(head []byte) error {
	first, lines, _ := strings.Cut(strings.TrimSuffix(string(head), "\r\n"), "\r\n")
	fields := strings.Count(lines, "\r\n") // each ends with one
	if fields > maxFields {
		return errHeadTooLong
	}
	r.fields = slices.Grow(r.fields[:0], fields)
	target, err := r.parseLine(first)
	if err != nil {
		return err
	}
	for line, rest, more := strings.Cut(lines, "\r\n"); more; line, rest, more = strings.Cut(rest, "\r\n") {
		f, ok := parseField(line)
		if !ok {
			return badRequest("Malformed header")
		}
		r.fields = append(r.fields, f)
	}
	if err := r.parseHost(); err != nil {
		return err
	}
	return r.parseTarget(target)
}

func (r *request) parseLine(line string) (target string, err error) {
	method, rest, _ := strings.Cut(line, " ")
	target, version, ok := strings.Cut(rest, " ")
	number, isHTTP := strings.CutPrefix(version, "HTTP/")
	switch {
	case !ok || !isToken([]byte(method)) || !isHTTP || len(number) != len("1.1") || number[1] != '.':
		return "", badRequest("Malformed request line")
	case number[0] != '1' || number[2] != '0' && number[2] != '1':
		return "", refuse(http.StatusHTTPVersionNotSupported, "HTTP Version Not Supported")
	}
	r.method, r.minor = method, number[2]
	return target, nil
}

func parseField(line string) (field, bool) {
	name, value, ok := strings.Cut(line, ":")
	value = strings.Trim(value, " \t")
	return field{name, value}, ok && isToken([]byte(name)) && isFieldValue(value)
}

func (r *request) parseHost() error {
	host, fields := r.value("Host")
	if fields != 1 || host == "" || strings.ContainsAny(host, " \t,/@?#\\") {
		return badRequest("Malformed Host header")
	}
	r.host = host
	return nil
}

// parseTarget accepts only the origin form. The absolute form, which is for proxies,
// could name a different host than the Host header.
func (r *request) parseTarget(target string) error {
	path, query, _ := strings.Cut(target, "?")
	unescaped, err := url.PathUnescape(path)
	if err != nil || !strings.HasPrefix(path, "/") || strings.IndexFunc(target, notInTarget) >= 0 {
		return badRequest("Malformed request target")
	}
	r.path, r.query = unescaped, query
	return nil
}

// notInTarget tolerates most characters that should have been escaped.
func notInTarget(c rune) bool { return c <= ' ' || c == 0x7f || c == '#' }

// isToken reports whether text is a token (RFC 9110, 5.6.2).
func isToken(text []byte) bool {
	for _, c := range text {
		alphanumeric := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !alphanumeric && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return len(text) > 0
}

// isFieldValue reports whether text is a field value (RFC 9110, 5.5).
func isFieldValue(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// parseQuery parses a query as API Gateway does: only '&' separates pairs. Invalid
// escapes are left unchanged.
func parseQuery(query string) map[string][]string {
	parsed := make(map[string][]string)
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name = unescape(name)
		parsed[name] = append(parsed[name], unescape(value))
	}
	return parsed
}

func unescape(text string) string {
	if unescaped, err := url.QueryUnescape(text); err == nil {
		return unescaped
	}
	return text
}
