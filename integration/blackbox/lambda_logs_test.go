package blackbox

import (
	"bytes"
	"log/slog"
)

// lambdaLogs takes the functions' log lines. What slog calls msg is called
// message on Lambda; it comes before all attributes.
type lambdaLogs struct{ *logs }

func (l lambdaLogs) Write(text []byte) (int, error) {
	for line := range bytes.Lines(text) {
		_, _ = l.logs.Write(bytes.Replace(line, []byte(`"message":`), []byte(`"`+slog.MessageKey+`":`), 1))
	}
	return len(text), nil
}
