package ledger

import (
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// idsParameter is a parameter of type Array(Tuple(Int64, UUID)).
func idsParameter(key string, ids []codec.Identity) clickhouse.Parameter {
	text := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(append(text, '('), int64(id.User), 10)
		text = append(append(append(text, `,'`...), uuid.UUID(id.ID).String()...), `')`...)
	}
	return clickhouse.Param(key, clickhouse.Literal(append(text, ']')))
}

// Days are days since 1970, each once.
type Days []int32

// Add adds those that are not there.
func (d *Days) Add(more []int32) {
	for _, day := range more {
		if !slices.Contains(*d, day) {
			*d = append(*d, day)
		}
	}
}

// parameter is a parameter of type Array(Date).
func (d Days) parameter(key string) clickhouse.Parameter {
	texts := make([]string, len(d))
	for i, day := range d {
		texts[i] = dateText(day)
	}
	return clickhouse.Param(key, texts)
}

// dateText is a day since 1970 as ClickHouse reads it.
func dateText(day int32) string {
	return time.UnixMilli(int64(day) * millisPerDay).UTC().Format(time.DateOnly)
}
