package cdc

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// epochStart is the beginning of one life of a topic.
type epochStart struct {
	epoch   uint16
	topicID string
	starts  []int64 // by partition
	claimed time.Time
}

// settling is how long after a topic grew producers may still write by the partitions that they knew before.
const settling = 15 * time.Minute

// grew tells whether an epoch of a topic began because it grew: its records have an order in each partition, and
// a row's may have moved from one to another.
func (es epochs) grew(epoch uint16) bool {
	for i := 1; i < len(es); i++ {
		if es[i].epoch == epoch {
			return es[i].topicID == es[i-1].topicID
		}
	}
	return false
}

// unsettled tells whether a record of an epoch was written while the topic grew.
func (es epochs) unsettled(epoch uint16, at time.Time) bool {
	return es.grew(epoch) && es[slices.IndexFunc(es, func(e epochStart) bool { return e.epoch == epoch })].claimed.Add(settling).After(at)
}

// epochs are the lives of a topic, the oldest first.
type epochs []epochStart

// of is the epoch of a record. A topic that grew has records of both epochs in one partition.
func (es epochs) of(partition int32, offset int64) uint16 {
	for i := len(es) - 1; i > 0; i-- {
		if e := es[i]; int(partition) >= len(e.starts) || e.starts[partition] <= offset {
			return e.epoch
		}
	}
	if len(es) == 0 {
		return 0
	}
	return es[0].epoch
}

func (es epochs) current() epochStart {
	if len(es) == 0 {
		return epochStart{}
	}
	return es[len(es)-1]
}

// topicState is a topic as Kafka describes it now.
type topicState struct {
	id   string  // empty where the broker gives none
	ends []int64 // the next offset of each partition
}

// succeeds tells whether the topic has begun a new life since the last known one.
func (t topicState) succeeds(last epochStart) bool {
	return last.epoch == 0 || t.id != last.topicID || len(t.ends) > len(last.starts)
}

// next is the life that begins: a grown topic's from where its partitions end now, a new one's from
// the beginning.
func (t topicState) next(last epochStart) (epochStart, error) {
	if last.epoch == 1<<16-1 {
		return epochStart{}, fmt.Errorf("topic %s has had 65535 lives", t.id)
	}
	starts := make([]int64, len(t.ends))
	if last.epoch > 0 && t.id == last.topicID {
		copy(starts, t.ends[:len(last.starts)])
	}
	return epochStart{epoch: last.epoch + 1, topicID: t.id, starts: starts}, nil
}

// claimEpoch reads a topic's lives, and begins a new one if the topic has. Replicas that notice at
// the same time agree on the first claim.
func claimEpoch(ctx context.Context, db *clickhouse.Client, topic string, state topicState, now time.Time) (epochs, error) {
	known, err := readEpochs(ctx, db, topic)
	if err != nil || !state.succeeds(known.current()) {
		return known, err
	}
	next, err := state.next(known.current())
	if err != nil {
		return nil, err
	}
	if err := insertEpoch(ctx, db, topic, next, now); err != nil {
		return nil, err
	}
	return readEpochs(ctx, db, topic)
}

func readEpochs(ctx context.Context, db *clickhouse.Client, topic string) (epochs, error) {
	var (
		found   epochs
		epoch   proto.ColUInt16
		topicID proto.ColStr
		starts  = proto.NewArrInt64()
		claimed proto.ColDateTime64
	)
	err := db.Read(ctx, clickhouse.Query{Name: "cdc_epochs", Query: ch.Query{
		Body: sql.ClickHouse("cdc_epochs"), Parameters: clickhouse.Params(map[string]any{"topic": topic}),
		Result: proto.Results{{Name: "epoch", Data: &epoch}, {Name: "topic_id", Data: &topicID}, {Name: "starts", Data: starts}, {Name: "claimed_at", Data: &claimed}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range epoch.Rows() {
				found = append(found, epochStart{epoch: epoch.Row(i), topicID: topicID.Row(i), starts: slices.Clone(starts.Row(i)), claimed: claimed.Row(i)})
			}
			return nil
		},
	}})
	return found, err
}

func insertEpoch(ctx context.Context, db *clickhouse.Client, topic string, e epochStart, now time.Time) error {
	var (
		name, topicID proto.ColStr
		epoch         proto.ColUInt16
		starts        = proto.NewArrInt64()
		claimed       = newCreated()
		claim         proto.ColUUID
	)
	name.Append(topic)
	epoch.Append(e.epoch)
	topicID.Append(e.topicID)
	starts.Append(e.starts)
	claimed.Append(now)
	claim.Append(uuid.New())
	in := proto.Input{
		{Name: "topic", Data: &name},
		{Name: "epoch", Data: &epoch},
		{Name: "topic_id", Data: &topicID},
		{Name: "starts", Data: starts},
		{Name: "claimed_at", Data: claimed},
		{Name: "claim", Data: &claim},
	}
	return db.Write(ctx, clickhouse.Query{Name: "cdc_epoch_claim", Query: ch.Query{Body: in.Into("cdc_epochs"), Input: in}})
}
