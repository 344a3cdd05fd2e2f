// Package awslocal gives tests the AWS services that can run on this machine: Amazon's
// DynamoDB Local and an SQS server, both installed by npm. Each starts on a free port
// when a test first asks for it, is shared by the tests of one process, and ends with
// that process. If Node.js, Java or the npm packages are missing, tests that ask are
// skipped; see testenv.Skip. The Parameter Store is a stand-in of its own.
package awslocal

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// The identity of every request. DynamoDB Local keeps a separate database for
// each key and region.
const (
	Region    = "ap-northeast-2"
	accessKey = "AWSLOCAL"
	secretKey = "not-a-secret"
)

// transport is shared by all clients so that M can close its connections. It uses no
// proxy: everything is on this machine.
var transport = &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute}

// M is a testing.M that ends the servers after the tests. It fits
// goleak.VerifyTestMain as well as os.Exit(M{m}.Run()).
type M struct{ *testing.M }

// Run runs the tests and returns the exit code.
func (m M) Run() int {
	defer transport.CloseIdleConnections()
	defer dynamoDB.stop()
	defer queues.stop()
	return m.M.Run()
}

// Config returns the configuration for clients of both services, except the endpoint.
func Config() aws.Config {
	return aws.Config{
		Region:      Region,
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		HTTPClient:  &http.Client{Transport: transport},
	}
}

// DynamoDBEndpoint returns the URL of DynamoDB Local.
func DynamoDBEndpoint(t testing.TB) string {
	t.Helper()
	return dynamoDB.endpoint(t)
}

// DynamoDB returns a client of DynamoDB Local.
func DynamoDB(t testing.TB) *dynamodb.Client {
	t.Helper()
	return DynamoDBAt(DynamoDBEndpoint(t))
}

// DynamoDBAt returns a client of the DynamoDB at an endpoint, such as a Proxy.
func DynamoDBAt(endpoint string) *dynamodb.Client {
	return dynamodb.NewFromConfig(Config(), func(o *dynamodb.Options) { o.BaseEndpoint = &endpoint })
}

// SQSEndpoint returns the URL of the SQS server.
func SQSEndpoint(t testing.TB) string {
	t.Helper()
	return queues.endpoint(t)
}

// SQS returns a client of the SQS server.
func SQS(t testing.TB) *sqs.Client {
	t.Helper()
	return SQSAt(SQSEndpoint(t))
}

// SQSAt returns a client of the SQS server at an endpoint, such as a Proxy.
func SQSAt(endpoint string) *sqs.Client {
	return sqs.NewFromConfig(Config(), func(o *sqs.Options) { o.BaseEndpoint = &endpoint })
}

// Env returns the environment variables with which a child process that loads
// the SDK's default configuration reaches DynamoDB, SQS and the Parameter Store at the
// endpoints.
func Env(dynamoDBEndpoint, sqsEndpoint, ssmEndpoint string) []string {
	return []string{
		"AWS_REGION=" + Region,
		"AWS_ACCESS_KEY_ID=" + accessKey,
		"AWS_SECRET_ACCESS_KEY=" + secretKey,
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL_DYNAMODB=" + dynamoDBEndpoint,
		"AWS_ENDPOINT_URL_SQS=" + sqsEndpoint,
		"AWS_ENDPOINT_URL_SSM=" + ssmEndpoint,
	}
}
