// Package cloudformation reads a CloudFormation template and resolves it like
// CloudFormation: it turns conditions, references and functions into the resources of a
// stack. It knows the functions and attributes that this service's template uses, and
// refuses all others; it does not check properties against a schema.
package cloudformation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// The errors of a template. Each is wrapped in an *Error.
var (
	ErrMalformed        = errors.New("malformed")
	ErrUnknownReference = errors.New("unknown reference")
	ErrUnknownFunction  = errors.New("unknown function")
	ErrCircular         = errors.New("circular dependency")
)

// Error says what is wrong, and where.
type Error struct {
	LogicalID string // of the resource, output, condition or parameter; may be empty
	Path      string // from the top of the template, as in "Resources/Queue/Properties/QueueName"
	Err       error  // wraps one of the errors above
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Err.Error()
	}
	return e.Path + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Template is a template as written. Its methods do not change it and are safe for
// concurrent use.
type Template struct{ document }

type document struct {
	AWSTemplateFormatVersion string
	Description              string
	Metadata                 any
	Parameters               map[string]parameter
	Conditions               map[string]any
	Resources                map[string]declaration
	Outputs                  map[string]output
}

type parameter struct {
	Type                  string
	Default               *string
	Description           string
	NoEcho                bool
	AllowedValues         []string
	ConstraintDescription string
}

type declaration struct {
	Type                string
	Properties          map[string]any
	DependsOn           names
	Condition           string
	DeletionPolicy      string
	UpdateReplacePolicy string
	Metadata            any
}

type output struct {
	Value       any
	Description string
	Condition   string
	Export      struct{ Name any }
}

// names is one name or a list of names.
type names []string

func (n *names) UnmarshalJSON(source []byte) error {
	var one string
	if json.Unmarshal(source, &one) == nil {
		*n = names{one}
		return nil
	}
	return json.Unmarshal(source, (*[]string)(n))
}

// Parse reads a template in JSON. CloudFormation features that this service does not use,
// such as Mappings and Transform, count as malformed.
func Parse(template []byte) (*Template, error) {
	decoder := json.NewDecoder(bytes.NewReader(template))
	decoder.DisallowUnknownFields()
	var t Template
	if err := decoder.Decode(&t.document); err != nil {
		return nil, &Error{Err: fmt.Errorf("%w: %w", ErrMalformed, err)}
	}
	if len(t.Resources) == 0 {
		return nil, &Error{Path: "Resources", Err: fmt.Errorf("%w: there is none", ErrMalformed)}
	}
	for id, declared := range t.Resources {
		if declared.Type == "" {
			return nil, place{section: "Resources", id: id}.error(ErrMalformed, "no Type")
		}
	}
	return &t, nil
}

// place is a position in the template.
type place struct{ section, id, path string }

func (p place) child(name string) place {
	p.path += "/" + name
	return p
}

func (p place) element(i int) place { return p.child(fmt.Sprint(i)) }

func (p place) error(kind error, format string, args ...any) error {
	return &Error{
		LogicalID: p.id,
		Path:      p.section + "/" + p.id + p.path,
		Err:       fmt.Errorf("%w: %s", kind, fmt.Sprintf(format, args...)),
	}
}
