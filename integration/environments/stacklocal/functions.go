package stacklocal

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"serverless-websocket/integration/environments/awslocal"
	"serverless-websocket/integration/environments/lambdalocal"
)

// environments is the maximum number of environments of a function without an event
// source. AWS has the account's quota; here further invocations wait.
const environments = 6

func (s *Stack) startFunctions(t testing.TB) {
	t.Helper()
	programs, parameters := s.programs(t), awslocal.Parameters(t, s.options.Secrets)
	for name, f := range s.plan.functions {
		cfg := s.config(t, name)
		cfg.Bootstrap, cfg.Env = programs[f.program()], slices.Concat(s.env(t, f, parameters), cfg.Env)
		s.Functions[f.program()] = lambdalocal.New(t, cfg)
	}
}

// config is the template's configuration of the function.
func (s *Stack) config(t testing.TB, name string) lambdalocal.Config {
	t.Helper()
	f := s.plan.functions[name]
	variables, err := s.variables(f)
	if err != nil {
		t.Fatalf("function %s: %v", name, err)
	}
	return lambdalocal.Config{
		Name: name, Emulator: s.options.Emulator, Log: s.options.Log,
		Env:         append(f.logging(), variables...),
		Timeout:     f.Timeout.seconds(),
		Memory:      int(f.MemorySize),
		Concurrency: s.plan.concurrency(name),
	}
}

func (s *Stack) programs(t testing.TB) map[string]string {
	t.Helper()
	if s.options.Programs != nil {
		return s.options.Programs
	}
	var names []string
	for _, f := range s.plan.functions {
		names = append(names, f.program())
	}
	return programs(t, names)
}

// program is the name of the function's folder in functions, and of its zip file.
func (f functionProperties) program() string {
	return strings.ToLower(strings.TrimSuffix(path.Base(f.Code.S3Key), ".zip"))
}

// logging is the template's log configuration of the function.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html
func (f functionProperties) logging() []string {
	return []string{
		"AWS_LAMBDA_LOG_FORMAT=" + f.LoggingConfig.LogFormat,
		"AWS_LAMBDA_LOG_LEVEL=" + f.LoggingConfig.ApplicationLogLevel,
	}
}

// variables are the function's own. It fails on an address on AWS that has no local
// counterpart.
func (s *Stack) variables(f functionProperties) (env []string, err error) {
	for name, value := range f.Environment.Variables {
		local := s.addresses.local(string(value))
		if elsewhere.MatchString(local) {
			return nil, fmt.Errorf("%s is %s, which has no local counterpart", name, value)
		}
		env = append(env, name+"="+local)
	}
	return env, nil
}

// concurrency is the maximum number of environments of a function.
func (p *plan) concurrency(function string) int {
	sum := 0
	for _, source := range p.sources {
		if nameOf(source.FunctionName) == function {
			sum += int(source.ScalingConfig.MaximumConcurrency)
		}
	}
	if sum == 0 {
		return environments
	}
	return sum
}

// startSources makes the queues invoke the functions.
func (s *Stack) startSources(t testing.TB) {
	t.Helper()
	endpoint := awslocal.SQSEndpoint(t)
	if s.options.FaultySources {
		endpoint = awslocal.Proxy(t, endpoint, s.SQS.Serve)
	}
	for _, p := range s.plan.sources {
		if p.Enabled == "false" {
			continue
		}
		source := lambdalocal.EventSource{
			Client:      awslocal.SQSAt(endpoint),
			QueueURL:    s.queueURL(nameOf(p.EventSourceARN)),
			Invoke:      p.invoke(s.function(nameOf(p.FunctionName)).Invoke),
			BatchSize:   int(p.BatchSize),
			Window:      p.MaximumBatchingWindowInSeconds.seconds(),
			Concurrency: int(p.ScalingConfig.MaximumConcurrency),
		}
		source.Start(t)
	}
}

// function returns the named function of the template.
func (s *Stack) function(name string) *lambdalocal.Function {
	return s.Functions[s.plan.functions[name].program()]
}

type invoke = func(ctx context.Context, payload []byte) ([]byte, error)

// invoke drops partial batch failures in the response, like Lambda, unless the event
// source is set to report them.
func (p sourceProperties) invoke(f invoke) invoke {
	if slices.Contains(p.FunctionResponseTypes, partialBatches) {
		return f
	}
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		_, err := f(ctx, payload)
		return nil, err
	}
}
