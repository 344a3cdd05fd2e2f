// Package flags improves the errors of the standard library's package flag: they say
// which values are allowed and which name was probably meant.
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

// checked is a flag value whose errors say what it accepts.
type checked struct {
	flag.Value
	want string // in addition to its type; can be empty
	ok   func() bool
}

// Require restricts the named flag to values for which ok returns true. The error for
// others quotes want, such as "1 or more". T is the type of the flag's value. It panics
// if there is no such flag or it has another type.
func Require[T any](f *flag.FlagSet, name, want string, ok func(T) bool) {
	one := f.Lookup(name)
	value := one.Value.(flag.Getter)
	_ = value.Get().(T)
	one.Value = checked{value, want, func() bool { return ok(value.Get().(T)) }}
}

// Positive reports whether x is above 0, for Require.
func Positive[T int | float64 | time.Duration](x T) bool { return x > 0 }

// Set sets the value, or returns an error that says what is allowed.
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

// wants describes the allowed values: by type, and by Require.
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

// withUnit is the duration that was probably meant: a bare number means seconds.
func withUnit(text string) string {
	if x, err := strconv.ParseFloat(text, 64); err == nil && x > 0 {
		return text + "s"
	}
	return "10s"
}

// Parse parses the arguments like f.Parse. Its errors are one line and say what is
// allowed.
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

// MustParse parses the flags of flag.CommandLine. If they are wrong, it ends the named
// program with one line and status 2; after -help, with the list of flags and status 0.
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
