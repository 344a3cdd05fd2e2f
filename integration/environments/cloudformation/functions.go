package cloudformation

import (
	"regexp"
	"strconv"
	"strings"
)

// noValue is what Ref returns for AWS::NoValue: the member or element vanishes.
type noValue struct{}

// functionOf returns the function that the node calls, if it is a call.
func functionOf(node map[string]any) (name string, argument any, ok bool) {
	if len(node) != 1 {
		return "", nil, false
	}
	for name, argument = range node {
		ok = name == "Ref" || strings.HasPrefix(name, "Fn::")
	}
	return name, argument, ok
}

func (r *resolver) call(at place, name string, argument any) (any, error) {
	at = at.child(name)
	switch name {
	case "Ref":
		return r.ref(at, argument)
	case "Fn::GetAtt":
		return r.getAtt(at, argument)
	case "Fn::Sub":
		return r.sub(at, argument)
	case "Fn::If":
		return r.choose(at, argument)
	case "Fn::Join":
		return r.join(at, argument)
	case "Fn::Split":
		return r.split(at, argument)
	case "Fn::Select":
		return r.pick(at, argument)
	}
	return nil, at.error(ErrUnknownFunction, "%s", name)
}

func (r *resolver) ref(at place, argument any) (any, error) {
	name, ok := argument.(string)
	if !ok {
		return nil, at.error(ErrMalformed, "a name must be text")
	}
	if name == "AWS::NoValue" {
		return noValue{}, nil
	}
	if value, ok := r.pseudo(name); ok {
		return value, nil
	}
	if declared, ok := r.Parameters[name]; ok {
		value, _ := r.parameter(r.env, name)
		if strings.HasSuffix(declared.Type, "List") || strings.HasPrefix(declared.Type, "List<") {
			return anys(strings.Split(value, ",")), nil
		}
		return value, nil
	}
	if err := r.use(at, name); err != nil {
		return nil, err
	}
	return r.physicalID(place{section: "Resources", id: name})
}

// getAtt takes ["Queue", "Arn"] and "Queue.Arn".
func (r *resolver) getAtt(at place, argument any) (any, error) {
	if text, ok := argument.(string); ok {
		id, attribute, _ := strings.Cut(text, ".")
		argument = []any{id, attribute}
	}
	arguments, ok := argument.([]any)
	if !ok || len(arguments) != 2 {
		return nil, at.error(ErrMalformed, "a resource and an attribute are needed")
	}
	id, isText := arguments[0].(string)
	attribute, err := r.text(at.element(1), arguments[1])
	if err != nil || !isText {
		return nil, at.error(ErrMalformed, "a resource and an attribute must be text")
	}
	if err := r.use(at, id); err != nil {
		return nil, err
	}
	return r.attribute(at, id, attribute)
}

var variable = regexp.MustCompile(`\$\{[^}]*\}`)

// sub takes a text, or a list of a text and an object of variables.
func (r *resolver) sub(at place, argument any) (any, error) {
	own := map[string]any{}
	if arguments, ok := argument.([]any); ok && len(arguments) == 2 {
		own, _ = arguments[1].(map[string]any)
		argument = arguments[0]
	}
	text, ok := argument.(string)
	if !ok || own == nil {
		return nil, at.error(ErrMalformed, "a text is needed, or a text and its variables")
	}
	var failure error
	result := variable.ReplaceAllStringFunc(text, func(found string) string {
		value, err := r.variable(at, own, found[2:len(found)-1])
		if err != nil && failure == nil {
			failure = err
		}
		return value
	})
	return result, failure
}

func (r *resolver) variable(at place, own map[string]any, name string) (string, error) {
	if literal, ok := strings.CutPrefix(name, "!"); ok {
		return "${" + literal + "}", nil
	}
	if value, ok := own[name]; ok {
		return r.text(at.child(name), value)
	}
	call := map[string]any{"Ref": name}
	if strings.Contains(name, ".") {
		call = map[string]any{"Fn::GetAtt": name}
	}
	return r.text(at, call)
}

// choose is Fn::If.
func (r *resolver) choose(at place, argument any) (any, error) {
	arguments, ok := argument.([]any)
	if !ok || len(arguments) != 3 {
		return nil, at.error(ErrMalformed, "a condition and two values are needed")
	}
	name, ok := arguments[0].(string)
	if !ok {
		return nil, at.error(ErrMalformed, "a condition must be a name")
	}
	holds, err := r.condition(at, name)
	if err != nil {
		return nil, err
	}
	chosen, other := 1, 2
	if !holds {
		chosen, other = 2, 1
	}
	if r.branches == everyBranch {
		if _, err := r.value(at.element(other), arguments[other]); err != nil {
			return nil, err
		}
	}
	return r.value(at.element(chosen), arguments[chosen])
}

func (r *resolver) join(at place, argument any) (any, error) {
	separator, list, err := r.textAndList(at, argument)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(list))
	for i, element := range list {
		if texts[i], err = r.text(at.element(i), element); err != nil {
			return nil, err
		}
	}
	return strings.Join(texts, separator), nil
}

func (r *resolver) split(at place, argument any) (any, error) {
	arguments, ok := argument.([]any)
	if !ok || len(arguments) != 2 {
		return nil, at.error(ErrMalformed, "a separator and a text are needed")
	}
	separator, err := r.text(at.element(0), arguments[0])
	if err != nil {
		return nil, err
	}
	text, err := r.text(at.element(1), arguments[1])
	if err != nil {
		return nil, err
	}
	return anys(strings.Split(text, separator)), nil
}

// pick is Fn::Select.
func (r *resolver) pick(at place, argument any) (any, error) {
	index, list, err := r.textAndList(at, argument)
	if err != nil {
		return nil, err
	}
	i, err := strconv.Atoi(index)
	if err != nil || i < 0 || i >= len(list) {
		return nil, at.error(ErrMalformed, "there is no element %s of %d", index, len(list))
	}
	return list[i], nil
}

// textAndList resolves the two arguments of Fn::Join and Fn::Select.
func (r *resolver) textAndList(at place, argument any) (string, []any, error) {
	arguments, ok := argument.([]any)
	if !ok || len(arguments) != 2 {
		return "", nil, at.error(ErrMalformed, "two arguments are needed")
	}
	first, err := r.text(at.element(0), arguments[0])
	if err != nil {
		return "", nil, err
	}
	second, err := r.value(at.element(1), arguments[1])
	if err != nil {
		return "", nil, err
	}
	list, ok := second.([]any)
	if !ok {
		return "", nil, at.element(1).error(ErrMalformed, "a list is needed")
	}
	return first, list, nil
}

// text resolves a node that must become text.
func (r *resolver) text(at place, node any) (string, error) {
	value, err := r.value(at, node)
	if err != nil {
		return "", err
	}
	switch value := value.(type) {
	case string:
		return value, nil
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64), nil
	case bool:
		return strconv.FormatBool(value), nil
	}
	return "", at.error(ErrMalformed, "a text is needed")
}

func anys(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}
