package replica

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/sql"
)

// Epoch is one incarnation of a topic.
type Epoch struct {
	Number  uint16
	TopicID string
	Starts  []int64 // by partition
	Claimed time.Time
}

// settling is how long after a topic grew producers may still write by the partitions that they knew before.
const settling = 15 * time.Minute

// Grew tells whether an epoch of a topic began because it grew: its records have an order in each partition, and
// a row's may have moved from one to another.
func (es Epochs) Grew(epoch uint16) bool {
	for i := 1; i < len(es); i++ {
		if es[i].Number == epoch {
			return es[i].TopicID == es[i-1].TopicID
		}
	}
	return false
}

// Unsettled tells whether a record of an epoch was written while the topic grew.
func (es Epochs) Unsettled(epoch uint16, at time.Time) bool {
	if !es.Grew(epoch) {
		return false
	}
	begun := slices.IndexFunc(es, func(e Epoch) bool { return e.Number == epoch })
	return es[begun].Claimed.Add(settling).After(at)
}

// Epochs are the incarnations of a topic, the oldest first.
type Epochs []Epoch

// Of is the epoch of a record. A topic that grew has records of both epochs in one partition.
func (es Epochs) Of(partition int32, offset int64) uint16 {
	for i := len(es) - 1; i > 0; i-- {
		if e := es[i]; int(partition) >= len(e.Starts) || e.Starts[partition] <= offset {
			return e.Number
		}
	}
	if len(es) == 0 {
		return 0
	}
	return es[0].Number
}

// Current is the incarnation that the topic is in.
func (es Epochs) Current() Epoch {
	if len(es) == 0 {
		return Epoch{}
	}
	return es[len(es)-1]
}

// succeeds tells whether the topic has begun a new incarnation since the last known one.
func succeeds(t kafka.Topic, last Epoch) bool {
	return last.Number == 0 || t.ID != last.TopicID || len(t.Ends) > len(last.Starts)
}

// next is the incarnation that begins: a grown topic's from where its partitions end now, a new one's from
// the beginning.
func next(t kafka.Topic, last Epoch) (Epoch, error) {
	if last.Number == 1<<16-1 {
		return Epoch{}, fmt.Errorf("topic %s has had 65535 incarnations", t.ID)
	}
	starts := make([]int64, len(t.Ends))
	if last.Number > 0 && t.ID == last.TopicID {
		copy(starts, t.Ends[:len(last.Starts)])
	}
	return Epoch{Number: last.Number + 1, TopicID: t.ID, Starts: starts}, nil
}

// ClaimEpoch reads a topic's incarnations, and begins a new one if the topic has. Replicas that notice at
// the same time agree on the first claim.
func ClaimEpoch(
	ctx context.Context, db *clickhouse.Client, topic string, state kafka.Topic, now time.Time,
) (Epochs, error) {
	known, err := readEpochs(ctx, db, topic)
	if err != nil || !succeeds(state, known.Current()) {
		return known, err
	}
	begun, err := next(state, known.Current())
	if err != nil {
		return nil, err
	}
	if err := insertEpoch(ctx, db, topic, begun, now); err != nil {
		return nil, err
	}
	return readEpochs(ctx, db, topic)
}

func readEpochs(ctx context.Context, db *clickhouse.Client, topic string) (Epochs, error) {
	var (
		found   Epochs
		epoch   proto.ColUInt16
		topicID proto.ColStr
		starts  = proto.NewArrInt64()
		claimed proto.ColDateTime64
	)
	err := db.Read(ctx, clickhouse.Query{Name: "cdc_epochs", Query: ch.Query{
		Body: sql.ClickHouse("cdc_epochs"), Parameters: clickhouse.Params(map[string]any{"topic": topic}),
		Result: proto.Results{
			{Name: "epoch", Data: &epoch},
			{Name: "topic_id", Data: &topicID},
			{Name: "starts", Data: starts},
			{Name: "claimed_at", Data: &claimed},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range epoch.Rows() {
				found = append(found, Epoch{
					Number: epoch.Row(i), TopicID: topicID.Row(i), Starts: slices.Clone(starts.Row(i)),
					Claimed: claimed.Row(i),
				})
			}
			return nil
		},
	}})
	return found, err
}

func insertEpoch(ctx context.Context, db *clickhouse.Client, topic string, e Epoch, now time.Time) error {
	var (
		name, topicID proto.ColStr
		epoch         proto.ColUInt16
		starts        = proto.NewArrInt64()
		claimed       = newCreated()
		claim         proto.ColUUID
	)
	name.Append(topic)
	epoch.Append(e.Number)
	topicID.Append(e.TopicID)
	starts.Append(e.Starts)
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
	return db.Write(ctx, clickhouse.Query{
		Name:  "cdc_epoch_claim",
		Query: ch.Query{Body: in.Into("cdc_epochs"), Input: in},
	})
}
