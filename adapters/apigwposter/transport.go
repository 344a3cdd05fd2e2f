package apigwposter

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// tuned lets so many posts run on connections that stay open. The SDK's default
// keeps ten, and makes a TLS handshake for nearly every post beyond. The limit on
// open connections is needed as well: a post that finds none free starts opening
// one even if another is freed first, and those surplus ones would be closed
// again. HTTP/2 is used where the server offers it.
func tuned(client aws.HTTPClient, inFlight int) aws.HTTPClient {
	if client == nil {
		client = awshttp.NewBuildableClient()
	}
	buildable, ok := client.(*awshttp.BuildableClient)
	if !ok {
		return client
	}
	return buildable.WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns = inFlight
		t.MaxIdleConnsPerHost = inFlight
		t.MaxConnsPerHost = inFlight
	})
}
