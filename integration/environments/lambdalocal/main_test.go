package lambdalocal_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.uber.org/goleak"

	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/integration/environments/lambdalocal"
	"serverless-websocket/integration/environments/testenv"
)

// roleVariable makes a process of the test binary a function.
const roleVariable = "LAMBDALOCAL_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "function":
		lambda.Start(obey)
	case "exits at once":
		fmt.Print("no environment for me")
		os.Exit(1)
	case "reports an init error":
		reportInitError()
	}
	goleak.VerifyTestMain(awslocal.M{M: m})
}

// order is the event of the test function.
type order struct {
	Do   string // the orders that obey knows
	Text string
}

// report is its answer.
type report struct {
	Text      string
	Pid       int
	RequestID string
	ARN       string
	Left      time.Duration // until the deadline
	Env       []string
}

func obey(ctx context.Context, o order) (any, error) {
	switch o.Do {
	case "fail":
		return nil, errors.New(o.Text)
	case "panic":
		panic(o.Text)
	case "exit":
		os.Exit(3)
	case "hang":
		fmt.Println("hanging")
		select {}
	case "answer too much":
		return strings.Repeat("x", lambdalocal.MaxPayload), nil
	}
	deadline, _ := ctx.Deadline()
	lc, _ := lambdacontext.FromContext(ctx)
	return report{
		Text: o.Text, Pid: os.Getpid(), RequestID: lc.AwsRequestID, ARN: lc.InvokedFunctionArn,
		Left: time.Until(deadline), Env: os.Environ(),
	}, nil
}

func reportInitError() {
	url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
	_, _ = http.Post(url, "application/json", strings.NewReader(`{"errorType":"Unready","errorMessage":"no luck"}`))
	select {}
}

// scripted returns a function that obeys orders.
func scripted(t *testing.T, cfg lambdalocal.Config) *lambdalocal.Function {
	return role(t, "function", cfg)
}

func role(t *testing.T, role string, cfg lambdalocal.Config) *lambdalocal.Function {
	t.Helper()
	cfg.Bootstrap = os.Args[0]
	cfg.Env = append(cfg.Env, roleVariable+"="+role)
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	return lambdalocal.New(t, cfg)
}

// built compiles a function of this module as for a deployment.
func built(t *testing.T, name string) string {
	t.Helper()
	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.Command("go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w",
		"-o", bootstrap, "./functions/"+name)
	build.Dir = testenv.Root()
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bootstrap
}
