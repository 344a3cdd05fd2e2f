package cloudformation

import (
	"maps"
	"slices"
	"strings"
)

// branches says which branches of Fn::If, and which conditional resources and outputs, a
// resolver looks at.
type branches int

const (
	chosenBranches branches = iota
	everyBranch             // to find errors in those that are not chosen
)

// resolver resolves a template once.
type resolver struct {
	*Template
	env      Environment
	branches branches
	held     map[string]bool            // conditions that were evaluated
	open     map[string]bool            // conditions and names that are being evaluated
	ids      map[string]string          // physical ids
	uses     map[string]map[string]bool // which resources each refers to
}

func newResolver(t *Template, env Environment, b branches) *resolver {
	return &resolver{
		Template: t, env: env, branches: b,
		held: map[string]bool{}, open: map[string]bool{}, ids: map[string]string{},
		uses: map[string]map[string]bool{},
	}
}

func (r *resolver) stack() (*Stack, error) {
	if err := r.evaluateConditions(); err != nil {
		return nil, err
	}
	s := &Stack{Name: r.env.StackName, Resources: map[string]Resource{}, Outputs: map[string]string{}}
	for _, id := range slices.Sorted(maps.Keys(r.Resources)) {
		if err := r.addResource(s, id); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Outputs)) {
		if err := r.addOutput(s, name); err != nil {
			return nil, err
		}
	}
	if r.branches == everyBranch {
		return s, nil
	}
	if err := r.checkCircles(); err != nil {
		return nil, err
	}
	return s, nil
}

func (r *resolver) addResource(s *Stack, id string) error {
	declared := r.Resources[id]
	at := place{section: "Resources", id: id}
	exists, err := r.included(at, declared.Condition)
	if err != nil || !exists {
		return err
	}
	if err := r.depend(at, declared.DependsOn); err != nil {
		return err
	}
	properties, err := r.value(at.child("Properties"), declared.Properties)
	if err != nil {
		return err
	}
	physicalID, err := r.physicalID(at)
	if err != nil {
		return err
	}
	resolved, _ := properties.(map[string]any)
	s.Resources[id] = Resource{
		LogicalID: id, Type: declared.Type, PhysicalID: physicalID,
		Properties: resolved, DeletionPolicy: declared.DeletionPolicy,
	}
	return nil
}

func (r *resolver) addOutput(s *Stack, name string) error {
	declared := r.Outputs[name]
	at := place{section: "Outputs", id: name}
	exists, err := r.included(at, declared.Condition)
	if err != nil || !exists {
		return err
	}
	if s.Outputs[name], err = r.text(at.child("Value"), declared.Value); err != nil {
		return err
	}
	_, err = r.value(at.child("Export/Name"), declared.Export.Name)
	return err
}

// included reports whether a thing with the condition exists.
func (r *resolver) included(at place, condition string) (bool, error) {
	if condition == "" {
		return true, nil
	}
	holds, err := r.condition(at.child("Condition"), condition)
	return holds || r.branches == everyBranch, err
}

// depend records the declared dependencies of a resource.
func (r *resolver) depend(at place, on []string) error {
	for _, id := range on {
		if err := r.use(at.child("DependsOn"), id); err != nil {
			return err
		}
	}
	return nil
}

// use records a reference to the resource, which must exist.
func (r *resolver) use(at place, id string) error {
	declared, ok := r.Resources[id]
	if !ok {
		return at.error(ErrUnknownReference, "there is no %s", id)
	}
	if at.section == "Conditions" {
		return at.error(ErrUnknownReference, "%s is a resource, which no condition can refer to", id)
	}
	exists, err := r.included(place{section: "Resources", id: id}, declared.Condition)
	if err != nil {
		return err
	}
	if !exists {
		return at.error(ErrUnknownReference, "%s is left out by the condition %s", id, declared.Condition)
	}
	if at.section == "Resources" {
		if r.uses[at.id] == nil {
			r.uses[at.id] = map[string]bool{}
		}
		r.uses[at.id][id] = true
	}
	return nil
}

// checkCircles fails if a resource depends on itself, directly or indirectly.
func (r *resolver) checkCircles() error {
	done := map[string]bool{}
	var visit func(id string, way []string) error
	visit = func(id string, way []string) error {
		if i := slices.Index(way, id); i >= 0 {
			return place{section: "Resources", id: id}.error(ErrCircular, "%s", strings.Join(append(way[i:], id), " → "))
		}
		if done[id] {
			return nil
		}
		for _, used := range slices.Sorted(maps.Keys(r.uses[id])) {
			if err := visit(used, append(way, id)); err != nil {
				return err
			}
		}
		done[id] = true
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(r.uses)) {
		if err := visit(id, nil); err != nil {
			return err
		}
	}
	return nil
}

// value returns the node with every function in it replaced by its result.
func (r *resolver) value(at place, node any) (any, error) {
	switch node := node.(type) {
	case map[string]any:
		if name, argument, ok := functionOf(node); ok {
			return r.call(at, name, argument)
		}
		return r.object(at, node)
	case []any:
		return r.list(at, node)
	}
	return node, nil
}

func (r *resolver) object(at place, node map[string]any) (any, error) {
	resolved := make(map[string]any, len(node))
	for _, name := range slices.Sorted(maps.Keys(node)) {
		if strings.HasPrefix(name, "Fn::") {
			return nil, at.error(ErrMalformed, "%s has other members beside it", name)
		}
		value, err := r.value(at.child(name), node[name])
		if err != nil {
			return nil, err
		}
		if value != (noValue{}) {
			resolved[name] = value
		}
	}
	return resolved, nil
}

func (r *resolver) list(at place, node []any) ([]any, error) {
	resolved := make([]any, 0, len(node))
	for i, element := range node {
		value, err := r.value(at.element(i), element)
		if err != nil {
			return nil, err
		}
		if value != (noValue{}) {
			resolved = append(resolved, value)
		}
	}
	return resolved, nil
}
