package boot

import (
	"strings"
	"testing"
)

func TestEnv(t *testing.T) {
	variables := map[string]string{"TABLE": "connections", "EMPTY": "", "TEN": "10", "ZERO": "0", "WORD": "many"}
	env := &Env{lookup: func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}}
	if got := env.Required("TABLE"); got != "connections" {
		t.Errorf("TABLE: %q", got)
	}
	for name, want := range map[string]int{"TEN": 10, "EMPTY": 7, "UNSET": 7} {
		if got := env.Count(name, 7); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	if err := env.Err(); err != nil {
		t.Errorf("error %v", err)
	}
	env.Required("EMPTY")
	env.Required("UNSET")
	env.Count("ZERO", 7)
	env.Count("WORD", 7)
	for _, part := range []string{"EMPTY is not set", "UNSET is not set", `ZERO is "0"`, `WORD is "many"`} {
		if err := env.Err(); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in %v", part, err)
		}
	}
}
