package keys

import (
	"context"
	"slices"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// table is ClickHouse's table of keys.
type table struct{ client *clickhouse.Client }

// state is how far a claim is. The numbers are stored; of a claim the highest counts.
type state uint8

const (
	claimed   state = 0
	held      state = 1
	withdrawn state = 2
)

// row is a text that some number is claimed for.
type row struct {
	text string
	held bool
}

const askedAtOnce = 20_000 // numbers, in one query

// read gives the texts of numbers that are claimed, but for claims that were withdrawn.
func (t table) read(ctx context.Context, ids []core.ID) (map[core.ID][]row, error) {
	all := make(map[core.ID][]row, len(ids))
	for chunk := range slices.Chunk(ids, askedAtOnce) {
		var id proto.ColInt64
		var key proto.ColStr
		var isHeld proto.ColUInt8
		err := t.client.Read(ctx, clickhouse.Query{Name: "keys_texts", Query: ch.Query{
			Body: sql.ClickHouse("keys_texts"), ExternalTable: "asked",
			ExternalData: proto.Input{{Name: "id", Data: clickhouse.Column(chunk)}},
			Settings:     clickhouse.OneThread,
			Result: proto.Results{
				{Name: "id", Data: &id}, {Name: "key", Data: &key}, {Name: "held", Data: &isHeld},
			},
			OnResult: func(context.Context, proto.Block) error {
				for i := range id {
					n := core.ID(id[i])
					all[n] = append(all[n], row{text: key.Row(i), held: isHeld[i] != 0})
				}
				return nil
			},
		}})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// write notes how far claims of keys are. claim names them, and their owner.
func (t table) write(ctx context.Context, keys []core.Key, claim uint64, s state) error {
	if len(keys) == 0 {
		return nil
	}
	var id proto.ColInt64
	var key proto.ColStr
	var claims proto.ColUInt64
	var states proto.ColUInt8
	for _, k := range keys {
		id.Append(int64(k.ID))
		key.Append(k.Text)
		claims.Append(claim)
		states.Append(uint8(s))
	}
	return t.client.Write(ctx, clickhouse.Query{Name: "keys_write", Query: ch.Query{
		Body: "INSERT INTO keys (id, key, claim, state) VALUES",
		Input: proto.Input{
			{Name: "id", Data: &id},
			{Name: "key", Data: &key},
			{Name: "claim", Data: &claims},
			{Name: "state", Data: &states},
		},
	}})
}
