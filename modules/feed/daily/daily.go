package daily

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// Row is what people did with posts of one source under one version of the ranking; the row without
// source is about all of them.
type Row struct {
	Source                                              string
	Ranking                                             uint64
	Impressions, Clicks, Likes, Comments, Shares, Hides uint64
	Dwells                                              uint64
	DwellP50, DwellP95                                  float64 // milliseconds
	Shown, Converted                                    uint64  // pairs of user and post
}

// ClickHouse counts from the raw events.
type ClickHouse struct{ client *clickhouse.Client }

// NewClickHouse makes it.
func NewClickHouse(client *clickhouse.Client) *ClickHouse { return &ClickHouse{client: client} }

// Day reads the events of one day (UTC).
func (c *ClickHouse) Day(ctx context.Context, day time.Time) ([]Row, error) {
	var (
		source   proto.ColStr
		counts   [10]proto.ColUInt64
		p50, p95 proto.ColFloat32
		rows     []Row
	)
	result := proto.Results{{Name: "source", Data: &source}}
	for i, name := range [...]string{
		"ranking", "impressions", "clicks", "likes", "comments", "shares", "hides",
		"dwells",
	} {
		result = append(result, proto.ResultColumn{Name: name, Data: &counts[i]})
	}
	result = append(result, proto.ResultColumn{Name: "dwell_p50", Data: &p50},
		proto.ResultColumn{Name: "dwell_p95", Data: &p95},
		proto.ResultColumn{Name: "shown", Data: &counts[8]}, proto.ResultColumn{Name: "converted", Data: &counts[9]})
	err := c.client.Read(ctx, clickhouse.Query{Name: "feed_day", Query: ch.Query{
		Body:       sql.ClickHouse("feed_day"),
		Parameters: clickhouse.Params(map[string]any{"day": day.Format(time.DateOnly)}),
		Result:     result,
		OnResult: func(context.Context, proto.Block) error {
			for i := range source.Rows() {
				n := func(column int) uint64 { return counts[column].Row(i) }
				rows = append(rows, Row{
					Source: source.Row(i), Ranking: n(0), Impressions: n(1), Clicks: n(2), Likes: n(3), Comments: n(4),
					Shares: n(5), Hides: n(6),
					Dwells: n(7), DwellP50: float64(p50.Row(i)), DwellP95: float64(p95.Row(i)), Shown: n(8),
					Converted: n(9),
				})
			}
			return nil
		},
	}})
	return rows, err
}
