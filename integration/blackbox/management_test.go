package blackbox

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
)

// newManagement returns the SDK's client for the endpoint.
func newManagement(t *testing.T, endpoint string) *apigatewaymanagementapi.Client {
	httpClient := awshttp.NewBuildableClient().WithTimeout(patience)
	t.Cleanup(httpClient.GetTransport().CloseIdleConnections)
	return apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region:       "ap-northeast-2",
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:   httpClient,
		Retryer:      aws.NopRetryer{},
	})
}

func connectionsAPI(t *testing.T, tg *target) {
	c := dial(t, tg)
	id := connected(t, tg, 1)[0]
	api := newManagement(t, tg.managementEndpoint)

	if err := post(t, api, id, "any text, 한글"); err != nil {
		t.Fatal(err)
	}
	if got, err := c.read(); err != nil || got != "any text, 한글" {
		t.Errorf("read %q, %v", got, err)
	}
	checkConnectionInfo(t, api, id)

	if err := post(t, api, id, largest); err != nil {
		t.Errorf("a message of the largest size: %v", err)
	}
	wantError[*types.PayloadTooLargeException](t, post(t, api, id, largest+"x"), http.StatusRequestEntityTooLarge)
	wantStatus(t, post(t, api, "no connection's id", "x"), http.StatusBadRequest)
	wrongStage := newManagement(t, tg.managementEndpoint+"x")
	wantError[*types.ForbiddenException](t, post(t, wrongStage, id, "x"), http.StatusForbidden)

	if _, err := api.DeleteConnection(t.Context(), &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &id}); err != nil {
		t.Fatal(err)
	}
	c.awaitClose()
	wantError[*types.GoneException](t, post(t, api, id, "x"), http.StatusGone)
	_, err := api.GetConnection(t.Context(), &apigatewaymanagementapi.GetConnectionInput{ConnectionId: &id})
	wantError[*types.GoneException](t, err, http.StatusGone)
	tg.logs.await(t, "disconnected", "connectionId", id)
}

var largest = strings.Repeat("x", maxMessage)

func post(t *testing.T, api *apigatewaymanagementapi.Client, id, data string) error {
	_, err := api.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{
		ConnectionId: &id, Data: []byte(data),
	})
	return err
}

func checkConnectionInfo(t *testing.T, api *apigatewaymanagementapi.Client, id string) {
	t.Helper()
	info, err := api.GetConnection(t.Context(), &apigatewaymanagementapi.GetConnectionInput{ConnectionId: &id})
	if err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]*time.Time{"connectedAt": info.ConnectedAt, "lastActiveAt": info.LastActiveAt} {
		if at == nil || time.Since(*at).Abs() > time.Minute {
			t.Errorf("%s is %v, want some seconds ago", name, at)
		}
	}
	if info.Identity == nil || aws.ToString(info.Identity.SourceIp) == "" {
		t.Errorf("identity %+v has no source address", info.Identity)
	}
}

// wantError wants the SDK's error type, which comes from the error-type header, and the
// status.
func wantError[E error](t *testing.T, err error, status int) {
	t.Helper()
	var typed E
	if !errors.As(err, &typed) {
		t.Errorf("got %v, want a %T", err, typed)
	}
	wantStatus(t, err, status)
}

func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != status {
		t.Errorf("got %v, want status %d", err, status)
	}
}
