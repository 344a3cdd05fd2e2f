// Package ssmsecret reads secrets from the Parameter Store of AWS Systems Manager.
package ssmsecret

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"serverless-websocket/adapters/internal/awsretry"
)

// retries bound a read to half of the ten seconds that Lambda gives a cold start.
var retries = awsretry.Policy{Timeout: 5 * time.Second, MaxAttempts: 10, BaseDelay: 100 * time.Millisecond}

// Read returns the secret in a parameter, which must be a SecureString: others are
// stored in plain text, where more people can read them. It shares the client's HTTP
// connections and credentials.
func Read(ctx context.Context, client *ssm.Client, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, retries.Timeout)
	defer cancel()
	tuned := ssm.New(client.Options(), func(o *ssm.Options) { retries.Tune(&o.Retryer, &o.APIOptions) })
	out, err := tuned.GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the parameter %s: %w", name, err)
	case out.Parameter == nil || out.Parameter.Type != types.ParameterTypeSecureString:
		return nil, fmt.Errorf("the parameter %s is not a SecureString", name)
	}
	return []byte(aws.ToString(out.Parameter.Value)), nil
}
