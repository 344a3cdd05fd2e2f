package stacklocal

import (
	"fmt"
	"maps"
	"slices"
)

// What the functions and the gateway require.
const (
	lambdaRuntime  = "provided.al2023"
	lambdaHandler  = "bootstrap"
	routeSelection = "$request.body.action"
	partialBatches = "ReportBatchItemFailures"
)

// check finds things that do not exist, or are of a kind that cannot run here.
func (p *plan) check() error {
	for _, name := range slices.Sorted(maps.Keys(p.functions)) {
		if err := p.checkFunction(p.functions[name]); err != nil {
			return fmt.Errorf("function %s: %w", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.roles)) {
		if err := p.checkRole(p.roles[name]); err != nil {
			return fmt.Errorf("role %s: %w", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.queues)) {
		if redrive := p.queues[name].RedrivePolicy; redrive != nil {
			if _, ok := p.queues[nameOf(redrive.DeadLetterTargetARN)]; !ok {
				return fmt.Errorf("queue %s: there is no dead-letter queue %s", name, redrive.DeadLetterTargetARN)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.sources)) {
		if err := p.checkSource(p.sources[id]); err != nil {
			return fmt.Errorf("event source %s: %w", id, err)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.apis)) {
		if err := p.checkAPI(id); err != nil {
			return fmt.Errorf("API %s: %w", id, err)
		}
	}
	return nil
}

func (p *plan) checkFunction(f functionProperties) error {
	if f.Runtime != lambdaRuntime || f.Handler != lambdaHandler {
		return fmt.Errorf("runtime %q and handler %q, only %s and %s run here", f.Runtime, f.Handler, lambdaRuntime, lambdaHandler)
	}
	if _, ok := p.roles[nameOf(f.Role)]; !ok {
		return fmt.Errorf("there is no role %q", f.Role)
	}
	return nil
}

func (p *plan) checkSource(s sourceProperties) error {
	if _, ok := p.queues[nameOf(s.EventSourceARN)]; !ok {
		return fmt.Errorf("there is no queue %s", s.EventSourceARN)
	}
	if _, ok := p.functions[nameOf(s.FunctionName)]; !ok {
		return fmt.Errorf("there is no function %s", s.FunctionName)
	}
	for _, kind := range s.FunctionResponseTypes {
		if kind != partialBatches {
			return fmt.Errorf("there are no responses of type %s", kind)
		}
	}
	return nil
}

func (p *plan) checkAPI(id string) error {
	api, stage := p.apis[id], p.stages[id]
	switch {
	case stage.StageName == "":
		return fmt.Errorf("it has no stage")
	case api.ProtocolType == "WEBSOCKET" && api.RouteSelectionExpression != routeSelection:
		return fmt.Errorf("it selects routes by %s, the gateway by %s", api.RouteSelectionExpression, routeSelection)
	case api.ProtocolType == "HTTP" && stage.StageName != "$default":
		return fmt.Errorf("stage %s: only $default is served", stage.StageName)
	}
	if err := p.checkStage(id, stage); err != nil {
		return fmt.Errorf("stage %s: %w", stage.StageName, err)
	}
	_, err := p.routesOf(id)
	return err
}

// checkStage finds settings that would let no one through.
func (p *plan) checkStage(api string, s stageProperties) error {
	if deployment, ok := p.deployments[s.DeploymentID]; s.AutoDeploy != "true" && (!ok || deployment.APIID != api) {
		return fmt.Errorf("its API has no deployment %q", s.DeploymentID)
	}
	settings := s.DefaultRouteSettings
	if settings.ThrottlingRateLimit == "0" || settings.ThrottlingBurstLimit == "0" {
		return fmt.Errorf("it refuses everything: its throttling limit is zero")
	}
	return nil
}
