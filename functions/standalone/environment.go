package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"serverless-websocket/adapters/flags"
)

const envPrefix = "SWS_"

// variables are those of os.Environ, by name.
func variables(environ []string) map[string]string {
	all := make(map[string]string)
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		all[name] = value
	}
	return all
}

// fromEnvironment sets the flags that were not given from their environment variables.
func fromEnvironment(f *flag.FlagSet, env map[string]string) (err error) {
	given := given(f)
	f.VisitAll(func(one *flag.Flag) {
		value, ok := env[envName(one.Name)]
		if !ok || given[one.Name] || err != nil || !hasTwin(one) {
			return
		}
		if e := f.Set(one.Name, value); e != nil {
			err = fmt.Errorf("invalid value %q for %s: %w", value, envName(one.Name), e)
		}
	})
	return err
}

// given has the names of the flags that were set.
func given(f *flag.FlagSet) map[string]bool {
	names := make(map[string]bool)
	f.Visit(func(one *flag.Flag) { names[one.Name] = true })
	return names
}

// hasTwin reports whether the flag is a setting of the service. The other flags do
// something other than run it.
func hasTwin(one *flag.Flag) bool { return one.Name != "version" && one.Name != "health" }

// strayVariables are environment variables that look like settings but are not. They
// cause a warning, not an error: a platform may set its own, as Kubernetes does for a
// service named sws, and after a rollback a release has to start with the variables of
// the newer one.
func strayVariables(environ []string) []string {
	var twins, stray []string
	new(settings).flags().VisitAll(func(one *flag.Flag) {
		if hasTwin(one) {
			twins = append(twins, strings.TrimPrefix(envName(one.Name), envPrefix))
		}
	})
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		twin, ours := strings.CutPrefix(name, envPrefix)
		if ours && !slices.Contains(twins, twin) {
			stray = append(stray, name+" is not a setting"+flags.DidYouMean(twin, envPrefix, twins))
		}
	}
	return stray
}

func envName(flagName string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}
