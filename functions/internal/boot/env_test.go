package boot

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestURL(t *testing.T) {
	for value, want := range map[string]string{
		"https://sqs.ap-northeast-2.amazonaws.com/123456789012/jobs": "",
		"http://127.0.0.1:4566/000000000000/jobs":                    "",
		"":                                      "QUEUE is not set",
		"jobs":                                  `QUEUE is "jobs"`,
		"arn:aws:sqs:ap-northeast-2:1:jobs":     "QUEUE is",
		"//sqs.ap-northeast-2.amazonaws.com/1/": "QUEUE is",
		"https:///1/jobs":                       "QUEUE is",
		"https://:443/1/jobs":                   "QUEUE is",
		"wss://example.com/dev":                 "QUEUE is",
		"https://exa mple.com":                  "QUEUE is",
	} {
		env := &Env{lookup: func(string) (string, bool) { return value, true }}
		if got := env.URL("QUEUE"); got != value {
			t.Errorf("%q became %q", value, got)
		}
		switch err := env.Err(); {
		case want == "" && err != nil:
			t.Errorf("%q: error %v", value, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%q: error %v, want one line with %s", value, err, want)
		}
	}
}

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
	for name, want := range map[string]time.Duration{"TEN": 10 * time.Second, "ZERO": 0, "UNSET": 7 * time.Second} {
		if got := env.Seconds(name, 7*time.Second); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]time.Duration{"TEN": 240 * time.Hour, "ZERO": 0, "EMPTY": 0, "UNSET": 0} {
		if got := env.Days(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]string{"TABLE": "connections", "EMPTY": "", "UNSET": ""} {
		if got := env.Optional(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	env.Check("TABLE", nil)
	if err := env.Err(); err != nil {
		t.Errorf("error %v", err)
	}
	env.Check("TABLE", errors.New("there is none"))
	env.Required("EMPTY")
	env.Required("UNSET")
	env.Count("ZERO", 7)
	env.Count("WORD", 7)
	for _, part := range []string{"EMPTY is not set", "UNSET is not set", "TABLE: there is none", `ZERO is "0"`, `WORD is "many"`} {
		if err := env.Err(); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in %v", part, err)
		}
	}
}
