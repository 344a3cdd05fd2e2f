// Package boot starts Lambda functions: at cold start it sets up the log, reads the
// function's environment and loads the AWS configuration.
package boot

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

// loadTimeout limits loading of the AWS configuration at cold start.
const loadTimeout = 5 * time.Second

// Start builds the function's handler and serves invocations with it. If the handler
// cannot be built, it logs why and exits, which Lambda reports as a failed
// initialization.
func Start(build func(*slog.Logger, *Env) any) {
	log := lambdacontext.NewLogger()
	slog.SetDefault(log)
	env := &Env{lookup: os.LookupEnv}
	handler := build(log, env)
	if err := env.Err(); err != nil {
		log.Error("function not started", "error", err)
		os.Exit(1)
	}
	lambda.Start(inTime{lambda.NewHandler(handler)})
}

// answerMargin is the end of an invocation that is left for the answer.
const answerMargin = 500 * time.Millisecond

// inTime ends what a handler waits for before Lambda ends the invocation: several calls
// that are slow, but in time each by itself, are answered and logged as a failure too.
type inTime struct{ lambda.Handler }

// Invoke passes the invocation on with an earlier deadline.
func (h inTime) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if deadline, ok := ctx.Deadline(); ok {
		earlier, cancel := context.WithDeadline(ctx, deadline.Add(-answerMargin))
		defer cancel()
		ctx = earlier
	}
	return h.Handler.Invoke(ctx, payload)
}

// AWSConfig loads the configuration that the Lambda service provides: region and
// credentials from the environment. Its error is one of those in Env.Err.
func (e *Env) AWSConfig() aws.Config {
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.LoggerFunc(logSDK)))
	if err != nil {
		e.errs = append(e.errs, fmt.Errorf("load the AWS configuration: %w", err))
	}
	return cfg
}

// logSDK logs the SDK's messages like all others; the SDK's own logger writes text, which
// queries for fields do not find.
func logSDK(class logging.Classification, format string, values ...any) {
	level := slog.LevelDebug
	if class == logging.Warn {
		level = slog.LevelWarn
	}
	slog.Log(context.Background(), level, "AWS SDK", "detail", fmt.Sprintf(format, values...))
}
