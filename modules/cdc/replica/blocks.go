package replica

import (
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// order are the columns that every copy ends with.
type order struct {
	version, lsn, system proto.ColUInt64
	deleted              proto.ColUInt8
	committed            *proto.ColDateTime64
}

func newOrder() *order {
	return &order{committed: new(proto.ColDateTime64).WithPrecision(proto.PrecisionMilli).WithLocation(time.UTC)}
}

func (o *order) append(version Version, gone bool, at envelope.SourcePosition) {
	o.version.Append(uint64(version))
	o.deleted.Append(flag(gone))
	o.lsn.Append(at.LSN)
	o.system.Append(at.Log)
	o.committed.Append(StoredTime(at.CommittedAt))
}

func (o *order) input() proto.Input {
	return proto.Input{
		{Name: "version", Data: &o.version},
		{Name: "is_deleted", Data: &o.deleted},
		{Name: "lsn", Data: &o.lsn},
		{Name: "source_id", Data: &o.system},
		{Name: "committed_at", Data: o.committed},
	}
}

// rowBlock is one insert into the copy of a kind.
func rowBlock(k mapping.Kind, rows []Row) proto.Input {
	var (
		id, first, other proto.ColInt64
		key              proto.ColStr
		hidden, private  proto.ColBool
		noDiscovery      proto.ColBool
		audience         proto.ColUInt8
		value            proto.ColInt8
		labels           = new(proto.ColInt64).Array()
		kind             proto.ColEnum
		created, counted = newCreated(), newCreated()
		order            = newOrder()
	)
	for _, r := range rows {
		id.Append(r.ID)
		key.Append(r.Key)
		first.Append(r.First)
		other.Append(r.Other)
		hidden.Append(r.Hidden)
		private.Append(r.Audience != core.Public)
		noDiscovery.Append(r.NoDiscovery)
		audience.Append(uint8(r.Audience))
		value.Append(r.Value)
		labels.Append(clickhouse.Numbers(r.Labels.IDs()))
		created.Append(StoredTime(r.CreatedAt))
		counted.Append(StoredTime(r.CountedAt()))
		order.append(r.Version, r.Gone, r.Position)
		kind.Append(k.String())
	}
	var in proto.Input
	add := func(name string, data proto.ColInput) { in = append(in, proto.InputColumn{Name: name, Data: data}) }
	layout := k.Layout()
	switch k {
	case mapping.User:
		add("id", &id)
		add("hidden", &hidden)
		add("private", &private)
		add("no_discovery", &noDiscovery)
	case mapping.Post:
		add("id", &id)
		add(layout.First, &first)
		add("hidden", &hidden)
		add("audience", &audience)
		add(layout.Other, &other)
		add("labels", labels)
	case mapping.Follow, mapping.Comment, mapping.Like, mapping.Member, mapping.Hide:
		add("row_key", &key)
		add(layout.First, &first)
		add(layout.Other, &other)
	case mapping.Block, mapping.Mute:
		add("kind", &kind)
		add("row_key", &key)
		add("user_id", &first)
		add("other_id", &other)
	case mapping.Group: // has no rows
	}
	add("created_at", created)
	if k.Counted() {
		add("counted_at", counted)
	}
	if k == mapping.Like {
		add(layout.Value, &value)
	}
	return append(in, order.input()...)
}

// edgeBlock is one insert into viewer_edges.
func edgeBlock(edges []Edge) proto.Input {
	var (
		viewer, other proto.ColInt64
		kind          proto.ColEnum
		key           proto.ColStr
		created       = newCreated()
		until         = newCreated()
		order         = newOrder()
	)
	for _, e := range edges {
		viewer.Append(e.Viewer)
		kind.Append(string(e.Kind))
		other.Append(e.Other)
		key.Append(e.Key)
		created.Append(StoredTime(e.CreatedAt))
		until.Append(StoredTime(e.Until))
		order.append(e.Version, e.Gone, e.Position)
	}
	return append(proto.Input{
		{Name: "viewer_id", Data: &viewer},
		{Name: "kind", Data: &kind},
		{Name: "other_id", Data: &other},
		{Name: "row_key", Data: &key},
		{Name: "created_at", Data: created},
		{Name: "until", Data: until},
	}, order.input()...)
}

func newCreated() *proto.ColDateTime64 {
	return new(proto.ColDateTime64).WithPrecision(proto.PrecisionMicro).WithLocation(time.UTC)
}

// StoredTime stores a time that is not known as the beginning of 1970.
func StoredTime(t time.Time) time.Time {
	if t.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return t
}

func flag(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
