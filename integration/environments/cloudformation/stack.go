package cloudformation

import (
	"maps"
	"slices"
)

// Environment is the environment in which a template is resolved.
type Environment struct {
	Region     string
	AccountID  string
	Partition  string // "aws", if empty
	URLSuffix  string // "amazonaws.com", if empty
	StackName  string
	Parameters map[string]string

	// PhysicalID, if set, chooses the result of Ref for a resource; "" leaves the choice
	// to this package: the resource's name, or one derived from the stack and the logical
	// id, the same each time.
	PhysicalID func(logicalID, resourceType string) string
	// Attribute, if set, chooses the result of GetAtt; false leaves the choice to this
	// package, which derives it from the physical id.
	Attribute func(logicalID, resourceType, attribute string) (string, bool)
}

// Stack is a template's resources and outputs with everything resolved.
type Stack struct {
	Name      string
	Resources map[string]Resource // by logical id; without those that conditions leave out
	Outputs   map[string]string
}

// Resource is a resource of a stack.
type Resource struct {
	LogicalID, Type, PhysicalID string
	Properties                  map[string]any // as decoded from JSON: numbers are float64
	DeletionPolicy              string
}

// OfType returns the resources of the type, by their logical ids in order.
func (s *Stack) OfType(resourceType string) []Resource {
	var found []Resource
	for _, id := range slices.Sorted(maps.Keys(s.Resources)) {
		if s.Resources[id].Type == resourceType {
			found = append(found, s.Resources[id])
		}
	}
	return found
}

// Resolve returns the stack that the template describes in the environment. It fails with
// an *Error on the first thing that CloudFormation would refuse: references must be known
// even in branches that conditions leave out.
func (t *Template) Resolve(env Environment) (*Stack, error) {
	env.Partition = orElse(env.Partition, "aws")
	env.URLSuffix = orElse(env.URLSuffix, "amazonaws.com")
	if err := t.checkParameters(env); err != nil {
		return nil, err
	}
	if _, err := newResolver(t, env, everyBranch).stack(); err != nil {
		return nil, err
	}
	return newResolver(t, env, chosenBranches).stack()
}

func (t *Template) checkParameters(env Environment) error {
	for _, name := range slices.Sorted(maps.Keys(env.Parameters)) {
		if _, ok := t.Parameters[name]; !ok {
			return place{section: "Parameters", id: name}.error(ErrUnknownReference, "the template has no such parameter")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Parameters)) {
		value, ok := t.parameter(env, name)
		allowed := t.Parameters[name].AllowedValues
		at := place{section: "Parameters", id: name}
		if !ok {
			return at.error(ErrMalformed, "it has no value")
		}
		if allowed != nil && !slices.Contains(allowed, value) {
			return at.error(ErrMalformed, "%q is none of %q", value, allowed)
		}
	}
	return nil
}

// parameter returns the value of a parameter, and whether it has one.
func (t *Template) parameter(env Environment, name string) (string, bool) {
	if value, ok := env.Parameters[name]; ok {
		return value, true
	}
	if byDefault := t.Parameters[name].Default; byDefault != nil {
		return *byDefault, true
	}
	return "", false
}

func orElse(value, other string) string {
	if value == "" {
		return other
	}
	return value
}
