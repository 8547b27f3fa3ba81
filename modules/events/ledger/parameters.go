package ledger

import (
	"slices"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"

	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// asked are events, as the table beside a query that asks for them.
func asked(ids []codec.Identity) proto.Input {
	users, events := make(proto.ColInt64, len(ids)), make(proto.ColUUID, len(ids))
	for i, id := range ids {
		users[i], events[i] = int64(id.User), uuid.UUID(id.ID)
	}
	return proto.Input{{Name: "user_id", Data: &users}, {Name: "event_id", Data: &events}}
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
