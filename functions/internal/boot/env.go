package boot

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// Env reads environment variables and collects all errors, so that a single failed start
// reports every one of them.
type Env struct {
	lookup func(string) (string, bool)
	errs   []error
}

// Required returns the variable, which must be set and not empty.
func (e *Env) Required(name string) string {
	value, _ := e.lookup(name)
	if value == "" {
		e.errs = append(e.errs, fmt.Errorf("%s is not set", name))
	}
	return value
}

// Optional returns the variable, or "" if it is not set.
func (e *Env) Optional(name string) string {
	value, _ := e.lookup(name)
	return value
}

// Check collects what is wrong with a variable, if anything is.
func (e *Env) Check(name string, err error) {
	if err != nil {
		e.errs = append(e.errs, fmt.Errorf("%s: %w", name, err))
	}
}

// URL returns the variable, which must be an absolute http or https URL.
func (e *Env) URL(name string) string {
	value := e.Required(name)
	u, err := url.Parse(value)
	if value != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "") {
		e.errs = append(e.errs, fmt.Errorf("%s is %q: want an http or https URL", name, value))
	}
	return value
}

// Count returns the variable, a whole number above zero, or the default if unset.
func (e *Env) Count(name string, standard int) int { return e.number(name, standard, 1) }

// Seconds returns the variable, a whole number of seconds, or the default if unset.
func (e *Env) Seconds(name string, standard time.Duration) time.Duration {
	return time.Duration(e.number(name, int(standard/time.Second), 0)) * time.Second
}

// Days returns the variable, a whole number of days, or 0 if unset.
func (e *Env) Days(name string) time.Duration {
	return time.Duration(e.number(name, 0, 0)) * 24 * time.Hour
}

func (e *Env) number(name string, standard, least int) int {
	value, _ := e.lookup(name)
	if value == "" {
		return standard
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least {
		e.errs = append(e.errs, fmt.Errorf("%s is %q: want a whole number, %d or more", name, value, least))
		return standard
	}
	return n
}

// Err returns all errors so far, or nil.
func (e *Env) Err() error { return errors.Join(e.errs...) }
