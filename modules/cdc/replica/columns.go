package replica

import (
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// columns are those that queries give of a row, of whatever kind it is.
type columns struct {
	kind                mapping.Kind
	key                 proto.ColStr
	first, other        proto.ColInt64
	hidden, noDiscovery proto.ColBool
	audience            proto.ColUInt8
	created             proto.ColDateTime64
	value               proto.ColInt8
	labels              *proto.ColArr[int64] // of posts
}

// results are they in the order of the queries, with more of one query between what all kinds have and what users,
// posts or likes have.
func (c *columns) results(more ...proto.ResultColumn) proto.Results {
	all := append(proto.Results{
		{Name: "row_key", Data: &c.key},
		{Name: "first", Data: &c.first},
		{Name: "other", Data: &c.other},
		{Name: "hidden", Data: &c.hidden},
		{Name: "audience", Data: &c.audience},
		{Name: "created_at", Data: &c.created},
	}, more...)
	switch c.kind {
	case mapping.User:
		all = append(all, proto.ResultColumn{Name: "no_discovery", Data: &c.noDiscovery})
	case mapping.Post:
		c.labels = new(proto.ColInt64).Array()
		all = append(all, proto.ResultColumn{Name: "labels", Data: c.labels})
	case mapping.Like:
		all = append(all, proto.ResultColumn{Name: "value", Data: &c.value})
	default:
	}
	return all
}

// into sets what they say of the ith row.
func (c *columns) into(row *mapping.Row, i int) {
	row.First, row.Other, row.Hidden = c.first.Row(i), c.other.Row(i), c.hidden.Row(i)
	row.Audience, row.CreatedAt = core.Audience(c.audience.Row(i)), c.created.Row(i).UTC()
	row.NoDiscovery = c.kind == mapping.User && c.noDiscovery.Row(i)
	if c.kind == mapping.Like {
		row.Value = c.value.Row(i)
	}
	if c.labels != nil {
		row.Labels = clickhouse.LabelsAt(c.labels, i)
	}
}
