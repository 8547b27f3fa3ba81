package updates

import (
	"strconv"
	"strings"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/eventstream"
)

// Most is how far new posts are counted: more is "more".
const Most = 99

// Position is what a client has: the moment since which is counted, and the number that it was told.
type Position struct {
	Since time.Time
	Told  int // -1: none; beyond Most: more
}

// untold is the number of a client that was told none.
const untold = -1

// From is the position of a client that names a moment.
func From(since time.Time) Position { return Position{since, untold} }

// ParsePosition reads the id of an event.
func ParsePosition(text string) (Position, error) {
	micros, told, ok := strings.Cut(text, "-")
	since, err := strconv.ParseInt(micros, 10, 64)
	n, also := strconv.Atoi(told)
	if !ok || err != nil || also != nil || since < 0 || since > 1<<53 || n < 0 || n > Most+1 {
		return Position{}, core.InvalidField("Last-Event-ID", "want the id of an event that a stream of ours sent")
	}
	return Position{time.UnixMicro(since).UTC(), n}, nil
}

// String is the id of an event.
func (p Position) String() string {
	return strconv.FormatInt(p.Since.UnixMicro(), 10) + "-" + strconv.Itoa(p.Told)
}

// event tells a number.
func event(p Position) []byte {
	data := append([]byte(`{"new_posts":`), strconv.Itoa(min(p.Told, Most))...)
	data = strconv.AppendBool(append(data, `,"more":`...), p.Told > Most)
	return eventstream.Append(nil, "new_posts", p.String(), append(data, '}'))
}

// interval is how long a stream is not counted again after it was told a number: 1 s for none, 30 s for more than can
// be counted.
func interval(told int) time.Duration {
	return time.Second + time.Duration(max(0, told))*290*time.Millisecond
}
