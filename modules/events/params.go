package events

import (
	"slices"
	"strconv"
	"time"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// idArray is a parameter of type Array(Tuple(Int64, UUID)).
type idArray struct{ text []byte }

func (a *idArray) add(id identity) {
	if len(a.text) > 0 {
		a.text = append(a.text, ',')
	}
	a.text = strconv.AppendInt(append(a.text, '('), int64(id.user), 10)
	a.text = append(appendUUID(append(a.text, `,'`...), id.id), `')`...)
}

func (a *idArray) parameter(key string) clickhouse.Parameter {
	return clickhouse.Param(key, clickhouse.Literal("["+string(a.text)+"]"))
}

// dateArray is a parameter of type Array(Date): days since 1970, each once.
type dateArray struct{ days []int32 }

func (a *dateArray) add(days []int32) {
	for _, day := range days {
		if !slices.Contains(a.days, day) {
			a.days = append(a.days, day)
		}
	}
}

func (a *dateArray) parameter(key string) clickhouse.Parameter {
	texts := make([]string, len(a.days))
	for i, day := range a.days {
		texts[i] = dateText(day)
	}
	return clickhouse.Param(key, texts)
}

// dateText is a day since 1970 as ClickHouse reads it.
func dateText(day int32) string {
	return time.UnixMilli(int64(day) * millisPerDay).UTC().Format(time.DateOnly)
}
