package eventstream

import (
	"bytes"
	"strconv"
	"time"
)

// Append appends an event. data is one line.
func Append(b []byte, name, id string, data []byte) []byte {
	b = append(append(append(b, "event: "...), name...), '\n')
	if id != "" {
		b = append(append(append(b, "id: "...), id...), '\n')
	}
	b = append(append(append(b, "data: "...), bytes.ReplaceAll(data, []byte("\n"), nil)...), '\n')
	return append(b, '\n')
}

// appendRetry appends after what time a client that loses the stream shall come back.
func appendRetry(b []byte, after time.Duration) []byte {
	b = strconv.AppendInt(append(b, "retry: "...), after.Milliseconds(), 10)
	return append(b, '\n', '\n')
}

// heartbeat is a comment: it keeps proxies from closing what is silent, and finds out who is gone.
var heartbeat = []byte(":\n\n")

// appendEnd appends the last event. The id is left as it was: whoever comes back says it.
func appendEnd(b []byte, reason string, after time.Duration) []byte {
	b = append(b, "retry: "...)
	b = append(strconv.AppendInt(b, after.Milliseconds(), 10), '\n')
	return Append(b, "end", "", []byte(`{"reason":"`+reason+`"}`))
}
