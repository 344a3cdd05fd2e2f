package httpapi

import (
	"encoding/base64"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
)

// What events say about the API they come from.
const (
	local = "local"
	stage = "$default"
)

// newEvent reads the request. The errors are those of reading its body, a
// *http.MaxBytesError among them.
func newEvent(w http.ResponseWriter, r *http.Request, routeKey string) (events.APIGatewayV2HTTPRequest, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		return events.APIGatewayV2HTTPRequest{}, err
	}
	event := events.APIGatewayV2HTTPRequest{
		Version:               "2.0",
		RouteKey:              routeKey,
		RawPath:               r.URL.Path,
		RawQueryString:        r.URL.RawQuery,
		Cookies:               cookies(r.Header),
		Headers:               headers(r),
		QueryStringParameters: joined(r.URL.Query()),
		RequestContext:        requestContext(r, routeKey),
		Body:                  string(body),
	}
	if !isText(r.Header, body) {
		event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return event, nil
}

// headers returns all headers except cookies, by lower-case name.
func headers(r *http.Request) map[string]string {
	all := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		if name != "Cookie" {
			all[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	return all
}

func cookies(header http.Header) (all []string) {
	for _, line := range header.Values("Cookie") {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.TrimSpace(cookie); cookie != "" {
				all = append(all, cookie)
			}
		}
	}
	return all
}

// joined joins the values of each name with commas. It returns nil for none.
func joined(values map[string][]string) map[string]string {
	if len(values) == 0 {
		return nil
	}
	all := make(map[string]string, len(values))
	for name, list := range values {
		all[name] = strings.Join(list, ",")
	}
	return all
}

// textTypes are the types, besides text/*, whose bodies API Gateway passes unchanged. All
// others become base64.
// https://aws.amazon.com/blogs/compute/handling-binary-data-using-amazon-api-gateway-http-apis/
var textTypes = []string{"application/json", "application/javascript", "application/xml"}

// isText reports whether the body can be passed unchanged. A body that is not UTF-8
// cannot, whatever its type: JSON cannot represent it.
func isText(header http.Header, body []byte) bool {
	if len(body) == 0 {
		return true
	}
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	text := err == nil && (strings.HasPrefix(kind, "text/") || slices.Contains(textTypes, kind))
	return text && header.Get("Content-Encoding") == "" && utf8.Valid(body)
}

func requestContext(r *http.Request, routeKey string) events.APIGatewayV2HTTPRequestContext {
	now := time.Now().UTC()
	sourceIP, _, _ := net.SplitHostPort(r.RemoteAddr)
	prefix, _, _ := strings.Cut(r.Host, ".")
	return events.APIGatewayV2HTTPRequestContext{
		RouteKey:     routeKey,
		AccountID:    local,
		Stage:        stage,
		RequestID:    uuid.NewString(),
		APIID:        local,
		DomainName:   r.Host,
		DomainPrefix: prefix,
		Time:         now.Format("02/Jan/2006:15:04:05 -0700"),
		TimeEpoch:    now.UnixMilli(),
		HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
			Method:    r.Method,
			Path:      r.URL.Path,
			Protocol:  r.Proto,
			SourceIP:  sourceIP,
			UserAgent: r.UserAgent(),
		},
	}
}
