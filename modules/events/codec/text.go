package codec

import (
	"strconv"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

const hexDigits = "0123456789abcdef"

// AppendUUID appends an id as UUIDs are written.
func AppendUUID(b []byte, id core.EventID) []byte {
	for i, c := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}

// AppendInstant appends a time in UTC, to the millisecond.
func AppendInstant(b []byte, millis int64) []byte {
	return time.UnixMilli(millis).UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
}

func appendUint(b []byte, n uint64) []byte { return strconv.AppendUint(b, n, 10) }

// appendText appends a member unless it is empty. The text is valid UTF-8: the decoder saw to that.
func appendText(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	return AppendString(append(b, name...), s)
}

// AppendString appends text, which is valid UTF-8, as a JSON string.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		if from = i + 1; c >= ' ' {
			b = append(b, '\\', c)
		} else {
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(b, s[from:]...), '"')
}
