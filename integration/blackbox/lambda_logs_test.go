package blackbox

import (
	"bytes"
	"log/slog"
)

// lambdaLogs reads the functions' log lines. slog's msg is called message on Lambda; it
// precedes all attributes.
type lambdaLogs struct{ *logs }

func (l lambdaLogs) Write(text []byte) (int, error) {
	for line := range bytes.Lines(text) {
		_, _ = l.logs.Write(bytes.Replace(line, []byte(`"message":`), []byte(`"`+slog.MessageKey+`":`), 1))
	}
	return len(text), nil
}
