package cloudformation

import (
	"maps"
	"slices"
)

func (r *resolver) evaluateConditions() error {
	for _, name := range slices.Sorted(maps.Keys(r.Conditions)) {
		if _, err := r.condition(place{section: "Conditions", id: name}, name); err != nil {
			return err
		}
	}
	return nil
}

// condition reports whether the named condition holds.
func (r *resolver) condition(at place, name string) (bool, error) {
	if holds, ok := r.held[name]; ok {
		return holds, nil
	}
	node, ok := r.Conditions[name]
	if !ok {
		return false, at.error(ErrUnknownReference, "there is no condition %s", name)
	}
	if r.open[name] {
		return false, at.error(ErrCircular, "the condition %s refers to itself", name)
	}
	r.open[name] = true
	defer delete(r.open, name)
	holds, err := r.holds(place{section: "Conditions", id: name}, node)
	if err != nil {
		return false, err
	}
	r.held[name] = holds
	return holds, nil
}

// holds evaluates a condition's expression.
func (r *resolver) holds(at place, node any) (bool, error) {
	call, ok := node.(map[string]any)
	if !ok || len(call) != 1 {
		return false, at.error(ErrMalformed, "a condition is one function")
	}
	for name, argument := range call {
		at = at.child(name)
		switch name {
		case "Condition":
			other, _ := argument.(string)
			return r.condition(at, other)
		case "Fn::Equals":
			return r.equals(at, argument)
		case "Fn::Not":
			held, err := r.count(at, argument, 1, 1)
			return held == 0, err
		case "Fn::And":
			held, err := r.count(at, argument, 2, 10)
			list, _ := argument.([]any)
			return held == len(list), err
		case "Fn::Or":
			held, err := r.count(at, argument, 2, 10)
			return held > 0, err
		}
	}
	return false, at.error(ErrUnknownFunction, "in a condition")
}

func (r *resolver) equals(at place, argument any) (bool, error) {
	list, ok := argument.([]any)
	if !ok || len(list) != 2 {
		return false, at.error(ErrMalformed, "two values are needed")
	}
	one, err := r.text(at.element(0), list[0])
	if err != nil {
		return false, err
	}
	other, err := r.text(at.element(1), list[1])
	return one == other, err
}

// count returns how many of the conditions hold. It fails if there are fewer than least
// or more than most.
func (r *resolver) count(at place, argument any, least, most int) (int, error) {
	list, ok := argument.([]any)
	if !ok || len(list) < least || len(list) > most {
		return 0, at.error(ErrMalformed, "%d to %d conditions are needed", least, most)
	}
	held := 0
	for i, node := range list {
		holds, err := r.holds(at.element(i), node)
		if err != nil {
			return 0, err
		}
		if holds {
			held++
		}
	}
	return held, nil
}
