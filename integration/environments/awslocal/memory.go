package awslocal

import (
	"net/http"
	"net/http/httptest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// nowhere is an endpoint that is never contacted.
const nowhere = "http://service.invalid"

// DynamoDBInMemory returns a client whose requests the handler answers, each in the
// goroutine that makes it. There is no socket, so within synctest the time limits of the
// client and its users pass instantly and exactly.
func DynamoDBInMemory(handler http.HandlerFunc) *dynamodb.Client {
	cfg := Config()
	cfg.HTTPClient = &http.Client{Transport: inMemory(handler)}
	return dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.BaseEndpoint = new(nowhere) })
}

// SQSInMemory is DynamoDBInMemory for SQS.
func SQSInMemory(handler http.HandlerFunc) *sqs.Client {
	cfg := Config()
	cfg.HTTPClient = &http.Client{Transport: inMemory(handler)}
	return sqs.NewFromConfig(cfg, func(o *sqs.Options) { o.BaseEndpoint = new(nowhere) })
}

// SSMInMemory is DynamoDBInMemory for the Parameter Store.
func SSMInMemory(handler http.HandlerFunc) *ssm.Client {
	cfg := Config()
	cfg.HTTPClient = &http.Client{Transport: inMemory(handler)}
	return ssm.NewFromConfig(cfg, func(o *ssm.Options) { o.BaseEndpoint = new(nowhere) })
}

type inMemory http.HandlerFunc

// RoundTrip fails, as over a socket, if the request's context ends before the handler has
// answered.
func (handle inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	defer r.Body.Close()
	recorder := httptest.NewRecorder()
	handle(recorder, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return recorder.Result(), nil
}
