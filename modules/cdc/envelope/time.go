package envelope

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Unit says what a number in a time column counts, where no schema says it.
type Unit string

// The units. Debezium writes TIMESTAMP as microseconds, TIMESTAMP(0..3) as milliseconds and DATE as
// days, all since 1970.
const (
	Micros  Unit = "us"
	Millis  Unit = "ms"
	Seconds Unit = "s"
	Days    Unit = "days"
)

// The range of times that a copy can hold: DateTime64 begins in 1900, and nanoseconds in 64 bits, which it is
// written from, end in 2262. What is outside, and PostgreSQL's -infinity and infinity, is moved to the nearer end.
var (
	MinTime = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	MaxTime = time.Date(2261, 12, 31, 23, 59, 59, 999999000, time.UTC)
)

// TimeIn is Time of a column whose values without a zone are local to one; nil: UTC.
func (r Row) TimeIn(column string, unit Unit, zone *time.Location) (time.Time, error) {
	t, err := r.Time(column, unit)
	if zone == nil || err != nil || t.IsZero() || !t.After(MinTime) || !t.Before(MaxTime) {
		return t, err
	}
	if text, err := r.Text(column); err != nil || hasZone(text) {
		return t, err
	}
	return Clamp(Local(t, zone)), nil
}

// hasZone tells whether a time in ISO form says its zone: it ends in Z or an offset.
func hasZone(text string) bool {
	if strings.HasSuffix(text, "Z") {
		return true
	}
	at := strings.LastIndexAny(text, "+-")
	return at > len(time.DateOnly) && strings.Contains(text, ":")
}

// Local is the instant at which clocks in a zone show what t shows in UTC. Of two, or where clocks leave one out, it
// is the one that PostgreSQL takes (AT TIME ZONE): by the offset before a leap ahead, by that after a step back.
func Local(t time.Time, zone *time.Location) time.Time {
	offset := func(at time.Time) time.Duration {
		_, seconds := at.In(zone).Zone()
		return time.Duration(seconds) * time.Second
	}
	before, after := offset(t.Add(-26*time.Hour)), offset(t.Add(26*time.Hour))
	first, last := t.Add(-before), t.Add(-after)
	switch {
	case offset(last) == after && (offset(first) != before || after < before):
		return last
	default:
		return first
	}
}

// Time is the column as a time in UTC, in microseconds: a number or an ISO string. Null is the zero time.
func (r Row) Time(column string, unit Unit) (time.Time, error) {
	text, err := r.Text(column)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return Clamp(fromNumber(n, r.unit(column, unit))), nil
	}
	t, ok := parseTime(text)
	if !ok {
		return time.Time{}, Errorf(ReasonValue, "column %s: not a time", column).Quoting(text)
	}
	return Clamp(t), nil
}

// Clamp moves a time into the range that copies can hold, in microseconds.
func Clamp(t time.Time) time.Time {
	switch {
	case t.IsZero():
		return t
	case t.Before(MinTime):
		return MinTime
	case t.After(MaxTime):
		return MaxTime
	}
	return t.UTC().Truncate(time.Microsecond)
}

func (r Row) unit(column string, otherwise Unit) Unit {
	c, _ := r.schema.column(column)
	switch c.Name {
	case "io.debezium.time.MicroTimestamp":
		return Micros
	case "io.debezium.time.Timestamp", "org.apache.kafka.connect.data.Timestamp":
		return Millis
	case "io.debezium.time.Date", "org.apache.kafka.connect.data.Date":
		return Days
	case "io.debezium.time.NanoTimestamp":
		return "ns"
	}
	if told, ok := r.told[column]; ok {
		return told
	}
	return otherwise
}

func fromNumber(n int64, unit Unit) time.Time {
	switch unit {
	case Millis:
		return time.UnixMilli(n).UTC()
	case Seconds:
		const most = 1 << 40 // beyond the range either way, and no overflow
		return time.Unix(min(max(n, -most), most), 0).UTC()
	case Days:
		const most = 1 << 22 // days: beyond the range either way, and no overflow
		return time.Unix(86400*min(max(n, -most), most), 0).UTC()
	case "ns":
		return time.Unix(0, n).UTC()
	case Micros:
	}
	return time.UnixMicro(n).UTC()
}

var layouts = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07", "2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999", time.DateOnly,
}

func parseTime(text string) (time.Time, bool) {
	switch text {
	case "infinity":
		return MaxTime, true
	case "-infinity":
		return MinTime, true
	}
	if strings.HasSuffix(text, " BC") {
		return MinTime, true
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return beyondFourDigits(text)
}

// beyondFourDigits reads years that Go's parser does not: +10000-… and -0044-…; they are out of
// range anyway, so only the side matters.
func beyondFourDigits(text string) (time.Time, bool) {
	body, negative := strings.CutPrefix(text, "-")
	body = strings.TrimPrefix(body, "+")
	year, rest, ok := strings.Cut(body, "-")
	n, err := strconv.Atoi(year)
	switch {
	case !ok || err != nil || n < 0 || n > math.MaxInt32 || len(rest) < 5 || rest[2] != '-':
		return time.Time{}, false
	case negative:
		return MinTime, true
	case n > 9999:
		return MaxTime, true
	}
	return time.Time{}, false
}
