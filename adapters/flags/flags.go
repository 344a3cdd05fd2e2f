// Package flags adds to the standard library's package flag what helps people
// who get a flag wrong: the error says which values are allowed, and which name
// was probably meant.
package flags

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// checked is the value of a flag that says in its errors what it takes.
type checked struct {
	flag.Value
	want string // in addition to what its type says; may be empty
	ok   func() bool
}

// Require lets the flag of this name take only values for which ok returns true.
// The error for others quotes want, such as "1 or more". T is the type of the
// flag's value. It panics when there is no such flag, or of another type.
func Require[T any](f *flag.FlagSet, name, want string, ok func(T) bool) {
	one := f.Lookup(name)
	value := one.Value.(flag.Getter)
	_ = value.Get().(T)
	one.Value = checked{value, want, func() bool { return ok(value.Get().(T)) }}
}

// Positive reports whether x is above 0, for Require.
func Positive[T int | float64 | time.Duration](x T) bool { return x > 0 }

// Set sets the value, or returns an error that says what it may be.
func (c checked) Set(text string) error {
	err := c.Value.Set(text)
	switch want := c.wants(text); {
	case err == nil && (c.ok == nil || c.ok()):
		return nil
	case want == "":
		return err
	default:
		return errors.New("want " + want)
	}
}

// wants is what the value may be: by its type, and by Require.
func (c checked) wants(text string) string {
	var kind string
	if value, ok := c.Value.(flag.Getter); ok {
		switch value.Get().(type) {
		case time.Duration:
			kind = "a duration such as " + withUnit(text)
		case int:
			kind = "a whole number"
		case float64:
			kind = "a number"
		}
	}
	if kind != "" && c.want != "" {
		return kind + ", " + c.want
	}
	return kind + c.want
}

// withUnit is the duration that was probably meant: a bare number is one of
// seconds.
func withUnit(text string) string {
	if x, err := strconv.ParseFloat(text, 64); err == nil && x > 0 {
		return text + "s"
	}
	return "10s"
}

// Parse parses the arguments as f.Parse does. Its errors are one line and say
// what is allowed.
func Parse(f *flag.FlagSet, args []string) error {
	f.VisitAll(func(one *flag.Flag) {
		if _, done := one.Value.(checked); !done && !isBool(one.Value) {
			one.Value = checked{Value: one.Value}
		}
	})
	err := f.Parse(args)
	if err == nil && f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if err == nil {
		return nil
	}
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		return fmt.Errorf("unknown flag -%s%s", name, DidYouMean(name, "-", names(f)))
	}
	return err
}

// MustParse parses the flags of flag.CommandLine. When they are wrong, it ends
// the program of this name with one line and the status 2; after -help with the
// list of them and 0.
func MustParse(program string) {
	flag.CommandLine.Init(program, flag.ContinueOnError)
	flag.CommandLine.SetOutput(io.Discard)
	switch err := Parse(flag.CommandLine, os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		flag.VisitAll(unwrap) // for their types and defaults
		flag.CommandLine.SetOutput(os.Stdout)
		flag.PrintDefaults()
		os.Exit(0)
	case err != nil:
		fmt.Fprintf(os.Stderr, "%s: %v; see -help\n", program, err)
		os.Exit(2)
	}
}

func unwrap(one *flag.Flag) {
	if c, ok := one.Value.(checked); ok {
		one.Value = c.Value
		unwrap(one)
	}
}

func isBool(v flag.Value) bool {
	b, ok := v.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

func names(f *flag.FlagSet) (all []string) {
	f.VisitAll(func(one *flag.Flag) { all = append(all, one.Name) })
	return all
}
