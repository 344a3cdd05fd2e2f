package lambdalocal_test

import (
	"errors"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/integration/environments/lambdalocal"
)

func TestSwitch(t *testing.T) {
	var faults lambdalocal.Switch
	client := awslocal.DynamoDBAt(awslocal.Proxy(t, awslocal.DynamoDBEndpoint(t), faults.Serve))
	list := func() error {
		_, err := client.ListTables(t.Context(), nil, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
		return err
	}
	if err := list(); err != nil {
		t.Errorf("at first: %v", err)
	}
	faults.Set(lambdalocal.Down)
	if err := list(); !errors.Is(err, io.EOF) {
		t.Errorf("down: %v, want a connection that breaks", err)
	}
	var throttled *types.ProvisionedThroughputExceededException
	faults.Set(lambdalocal.Throttle(0, "ProvisionedThroughputExceededException"))
	if err := list(); !errors.As(err, &throttled) {
		t.Errorf("throttled: %v", err)
	}
	faults.Set(lambdalocal.Throttle(3, "ProvisionedThroughputExceededException"))
	for i := 1; i <= 6; i++ {
		if err := list(); errors.As(err, &throttled) == (i%3 == 0) {
			t.Errorf("every third passes, call %d: %v", i, err)
		}
	}
	faults.Set(nil)
	if err := list(); err != nil {
		t.Errorf("at the end: %v", err)
	}
}
