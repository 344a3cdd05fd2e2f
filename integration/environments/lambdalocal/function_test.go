package lambdalocal_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"golang.org/x/sync/errgroup"

	"serverless-websocket/integration/environments/lambdalocal"
	"serverless-websocket/integration/environments/testenv"
)

// patience is how long a test waits for an expected event: long enough that even on a
// busy machine only a hang exceeds it.
const patience = time.Minute

func TestZipOfTheDeployedFunction(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ping.zip")
	zipped(t, file, built(t, "ping"))
	bootstrap, err := lambdalocal.Unpack(file, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := lambdalocal.New(t, lambdalocal.Config{Bootstrap: bootstrap})
	out, err := f.Invoke(t.Context(), []byte(`{"routeKey":"GET /ping"}`))
	if err != nil {
		t.Fatal(err)
	}
	var response events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(out, &response); err != nil || response.StatusCode != 200 || response.Body != "PONG!" {
		t.Errorf("got %s, %v", out, err)
	}
}

func zipped(t *testing.T, file, bootstrap string) {
	t.Helper()
	program, err := os.ReadFile(bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	archive := zip.NewWriter(out)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	entry, err := archive.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := entry.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLogsOfTheDeployedFunction(t *testing.T) {
	f := lambdalocal.New(t, lambdalocal.Config{Bootstrap: built(t, "defaultmessage")})
	out, err := f.Invoke(t.Context(), []byte(`{"requestContext":{"requestId":"r-1"},"body":"{}"}`))
	if err != nil || !strings.Contains(string(out), "unknown_action") {
		t.Fatalf("got %s, %v", out, err)
	}
	var line struct{ Level, GatewayRequestID, RequestID string }
	testenv.Eventually(t, patience, "the refusal is logged", func() bool { return f.Output() != "" })
	if err := json.Unmarshal([]byte(f.Output()), &line); err != nil {
		t.Fatal(err)
	}
	if line.GatewayRequestID != "r-1" || line.RequestID == "" {
		t.Errorf("logged %s", f.Output())
	}
}

func TestWhatTheFunctionIsTold(t *testing.T) {
	t.Setenv("LAMBDALOCAL_OF_THE_PARENT", "1")
	f := scripted(t, lambdalocal.Config{Name: "obey", Memory: 256, Env: []string{"OWN=1", "AWS_REGION=eu-north-1"}})
	got := invoke(t, f, order{Text: "한글"})
	if got.Text != "한글" || got.RequestID == "" || !strings.HasSuffix(got.ARN, ":function:obey") {
		t.Errorf("got %+v", got)
	}
	if got.Left <= 0 || got.Left > time.Minute {
		t.Errorf("%v left until the deadline, want a minute at most", got.Left)
	}
	for _, want := range []string{
		"AWS_LAMBDA_FUNCTION_NAME=obey", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=INFO", "_HANDLER=bootstrap",
		"LAMBDA_TASK_ROOT=" + filepath.Dir(os.Args[0]), "OWN=1", "AWS_REGION=eu-north-1",
	} {
		if !slices.Contains(got.Env, want) {
			t.Errorf("the environment lacks %s", want)
		}
	}
	for _, variable := range got.Env {
		if strings.HasPrefix(variable, "LAMBDALOCAL_OF_THE_PARENT") || strings.HasPrefix(variable, "HOME=") {
			t.Errorf("the environment has the parent's %s", variable)
		}
	}
}

func TestWarmEnvironmentIsUsedAgain(t *testing.T) {
	f := scripted(t, lambdalocal.Config{Concurrency: 4})
	first := invoke(t, f, order{})
	for range 3 {
		if again := invoke(t, f, order{}); again.Pid != first.Pid || again.RequestID == first.RequestID {
			t.Errorf("got %+v after %+v", again, first)
		}
	}
	all := f.Environments()
	if len(all) != 1 || all[0].Invocations != 4 || all[0].Init <= 0 || all[0].First <= 0 || all[0].Busy || all[0].Ended {
		t.Errorf("environments: %+v", all)
	}
}

// While invocations hold all environments, another one waits for the first to become
// free.
func TestConcurrencyIsBounded(t *testing.T) {
	f := scripted(t, lambdalocal.Config{Concurrency: 2})
	hanging := hang(t, f, 2)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := f.Invoke(ctx, []byte("{}")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third invocation: %v, want it to wait", err)
	}
	f.Kill(1)
	invoke(t, f, order{})
	f.Kill(2)
	for range 2 {
		wantError(t, <-hanging, lambdalocal.Exited)
	}
	if n := len(f.Environments()); n != 3 {
		t.Errorf("%d environments, want 3", n)
	}
}

// hang occupies n environments. The channel gets the error of each.
func hang(t *testing.T, f *lambdalocal.Function, n int) <-chan error {
	t.Helper()
	errs := make(chan error, n)
	for range n {
		go func() {
			_, err := f.Invoke(context.Background(), encode(order{Do: "hang"}))
			errs <- err
		}()
	}
	testenv.Eventually(t, patience, "all hang", func() bool { return strings.Count(f.Output(), "hanging\n") == n })
	return errs
}

func TestConcurrentInvocations(t *testing.T) {
	f := scripted(t, lambdalocal.Config{Concurrency: 3})
	var group errgroup.Group
	for range 60 {
		group.Go(func() error {
			_, err := f.Invoke(t.Context(), encode(order{}))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	total := 0
	for _, e := range f.Environments() {
		total += e.Invocations
	}
	if total != 60 || len(f.Environments()) > 3 {
		t.Errorf("%d invocations in %d environments, want 60 in 3 at most", total, len(f.Environments()))
	}
}

func TestErrors(t *testing.T) {
	for _, row := range []struct {
		do        string
		timeout   time.Duration
		errorType string
		ends      bool // the environment
	}{
		{do: "fail", errorType: "errorString"},
		{do: "answer too much", errorType: lambdalocal.ResponseTooLarge, ends: true},
		{do: "panic", errorType: "string", ends: true},
		{do: "exit", errorType: lambdalocal.Exited, ends: true},
		{do: "hang", errorType: lambdalocal.TimedOut, timeout: 200 * time.Millisecond, ends: true},
	} {
		t.Run(row.do, func(t *testing.T) {
			f := scripted(t, lambdalocal.Config{Timeout: row.timeout})
			_, err := f.Invoke(t.Context(), encode(order{Do: row.do, Text: "told"}))
			f.SetTimeout(time.Minute)
			wantError(t, err, row.errorType)
			if row.do == "fail" && !strings.Contains(err.Error(), "told") {
				t.Errorf("got %v, want the function's message", err)
			}
			if row.ends {
				testenv.Eventually(t, patience, "the environment ends", func() bool { return f.Environments()[0].Ended })
			}
			if invoke(t, f, order{Text: "again"}); len(f.Environments()) == 1 == row.ends {
				t.Errorf("environments: %+v", f.Environments())
			}
		})
	}
}

func wantError(t *testing.T, err error, errorType string) {
	t.Helper()
	var failed *lambdalocal.Error
	if !errors.As(err, &failed) || failed.Type != errorType {
		t.Errorf("got %v, want an error of type %s", err, errorType)
	}
}

// A panic is reported first and then ends the process. The next caller does not notice,
// however soon it calls.
func TestEnvironmentThatEndsAfterItsAnswer(t *testing.T) {
	f := scripted(t, lambdalocal.Config{})
	for range 10 {
		_, err := f.Invoke(t.Context(), encode(order{Do: "panic"}))
		wantError(t, err, "string")
		invoke(t, f, order{})
	}
}

func TestFailedInit(t *testing.T) {
	f := role(t, "exits at once", lambdalocal.Config{})
	_, err := f.Invoke(t.Context(), []byte("{}"))
	wantError(t, err, lambdalocal.Exited)
	testenv.Eventually(t, patience, "its last words are kept", func() bool {
		return f.Output() == "no environment for me\n"
	})
	f = role(t, "reports an init error", lambdalocal.Config{})
	_, err = f.Invoke(t.Context(), []byte("{}"))
	wantError(t, err, "Unready")
	if e := f.Environments()[0]; !e.Ended || e.Init != 0 {
		t.Errorf("environment %+v", e)
	}
}

func TestMissingProgram(t *testing.T) {
	f := lambdalocal.New(t, lambdalocal.Config{Bootstrap: filepath.Join(t.TempDir(), "nothing")})
	if _, err := f.Invoke(t.Context(), []byte("{}")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want os.ErrNotExist", err)
	}
}

func TestPausedEnvironmentTimesOut(t *testing.T) {
	f := scripted(t, lambdalocal.Config{})
	first := invoke(t, f, order{})
	f.Pause(1)
	f.SetTimeout(200 * time.Millisecond)
	_, err := f.Invoke(t.Context(), encode(order{}))
	wantError(t, err, lambdalocal.TimedOut)
	f.SetTimeout(time.Minute)
	if again := invoke(t, f, order{}); again.Pid == first.Pid {
		t.Error("the paused process answered")
	}
}

// A departing caller does not end the invocation.
func TestCallerGoesAway(t *testing.T) {
	f := scripted(t, lambdalocal.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := f.Invoke(ctx, encode(order{Do: "hang"}))
		gone <- err
	}()
	testenv.Eventually(t, patience, "it hangs", func() bool { return strings.Contains(f.Output(), "hanging") })
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if e := f.Environments()[0]; !e.Busy || e.Ended {
		t.Errorf("environment %+v, want it to be busy", e)
	}
}

func TestPayloadTooLarge(t *testing.T) {
	f := scripted(t, lambdalocal.Config{})
	if _, err := f.Invoke(t.Context(), make([]byte, lambdalocal.MaxPayload+1)); err == nil || len(f.Environments()) > 0 {
		t.Errorf("got %v and %d environments", err, len(f.Environments()))
	}
}

func invoke(t *testing.T, f *lambdalocal.Function, o order) (r report) {
	t.Helper()
	out, err := f.Invoke(t.Context(), encode(o))
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func encode(o order) []byte {
	out, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return out
}
