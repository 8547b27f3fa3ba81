package events

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// Parameters of ClickHouse's queries travel as quoted text.

func number[T ~uint16 | ~int32 | ~uint64 | ~int64](key string, n T) proto.Parameter {
	return proto.Parameter{Key: key, Value: "'" + fmt.Sprint(n) + "'"}
}

func words(key, s string) proto.Parameter { return proto.Parameter{Key: key, Value: quoted(s)} }

func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// idArray is a parameter of type Array(Tuple(Int64, UUID)).
type idArray struct{ text []byte }

func (a *idArray) add(id identity) {
	if len(a.text) > 0 {
		a.text = append(a.text, ',')
	}
	a.text = strconv.AppendInt(append(a.text, '('), int64(id.user), 10)
	a.text = append(appendUUID(append(a.text, `,'`...), id.id), `')`...)
}

func (a *idArray) parameter(key string) proto.Parameter { return words(key, "["+string(a.text)+"]") }

// dateArray is a parameter of type Array(Date): days since 1970, each once.
type dateArray struct{ days []int32 }

func (a *dateArray) add(days []int32) {
	for _, day := range days {
		if !slices.Contains(a.days, day) {
			a.days = append(a.days, day)
		}
	}
}

func (a *dateArray) parameter(key string) proto.Parameter {
	texts := make([]string, len(a.days))
	for i, day := range a.days {
		texts[i] = "'" + dateText(day) + "'"
	}
	return words(key, "["+strings.Join(texts, ",")+"]")
}

// dateText is a day since 1970 as ClickHouse reads it.
func dateText(day int32) string {
	return time.UnixMilli(int64(day) * millisPerDay).UTC().Format(time.DateOnly)
}
