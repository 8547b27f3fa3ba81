package ledger

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// view is a table of counts that a materialized view fills from the raw table.
type view struct {
	table      string
	difference string // the query that tells what must be added
	columns    string
}

func views() []view {
	return []view{
		{
			"post_metrics_1h", "event_difference_post_metrics",
			"hour, post_id, kafka_partition, author_id, exposures, views, clicks, likes, comments, shares, hides, dwell",
		},
		{
			"user_author_90d", "event_difference_user_author",
			"user_id, author_id, day, kafka_partition, views, clicks, likes, comments, shares, hides",
		},
	}
}

// maxRounds bounds the reconciling of one view. One round is enough unless something is wrong.
const maxRounds = 3

// recountTimes is how much longer than an insert this may take: it reads all that a batch touched, and on a busy
// server a time that is too short only makes it begin anew.
const recountTimes = 4

// Scope says which buckets of the views are meant: those that offsets beyond after touched, or that events
// on some posts touched which were ahead of their records, or whole days.
type Scope struct {
	After       int64
	Posts       []core.ID
	whole       bool
	first, last int32 // days since 1970
}

// Beyond are the buckets touched by offsets after the one given, whatever their day.
func Beyond(after int64) Scope { return Scope{After: after, last: math.MaxUint16} }

// WholeDays are all buckets of some days.
func WholeDays(first, last int32) Scope { return Scope{whole: true, first: first, last: last} }

func (s Scope) parameters() []clickhouse.Parameter {
	return []clickhouse.Parameter{
		clickhouse.Param("after", s.After), clickhouse.Param("whole", s.whole),
		clickhouse.Param("first", dateText(s.first)), clickhouse.Param("last", dateText(s.last)),
		clickhouse.Param("posts", s.Posts),
	}
}

// Reconcile makes the views say what the raw table says. It adds what is missing and looks again, so
// that nothing hangs on the outcome of one insert. It returns how many buckets were wrong. Only the
// owner may do this: nobody else knows that the raw table stands still.
func (l *Partition) Reconcile(ctx context.Context, f Fence, s Scope) (wrong uint64, err error) {
	for _, v := range views() {
		for round := 0; ; round++ {
			n, err := l.differing(ctx, v, s)
			if err != nil {
				return wrong, err
			}
			if n == 0 {
				break
			}
			if round == 0 {
				wrong += n
			}
			if round == maxRounds {
				if err := l.Holds(ctx, f); err != nil { // an insert under an old fence adds nothing
					return wrong, err
				}
				return wrong, fmt.Errorf("%s of partition %d: %d buckets still differ from the raw table after %d rounds", v.table, l.partition, n, round)
			}
			if err := l.addDifference(ctx, v, f, s); err != nil {
				return wrong, err
			}
		}
	}
	return wrong, nil
}

// differing counts the buckets that are wrong.
func (l *Partition) differing(ctx context.Context, v view, s Scope) (uint64, error) {
	var n proto.ColUInt64
	err := l.client.Read(ctx, clickhouse.Query{Name: v.difference, Query: ch.Query{
		Body:       "SELECT count() AS n FROM (" + statement(v) + ")",
		Parameters: l.params(s.parameters()...), Result: proto.Results{{Name: "n", Data: &n}},
	}})
	if err != nil {
		return 0, err
	}
	return n.Row(0), nil
}

// addDifference inserts what is missing. The server computes and inserts in one statement, which
// adds nothing under an old fence: there is no moment at which we could be frozen with a stale
// difference in our hands.
func (l *Partition) addDifference(ctx context.Context, v view, f Fence, s Scope) error {
	return l.writeUnder(ctx, f, recountTimes*l.timeout, "reconcile", ch.Query{
		Body: "INSERT INTO " + v.table + " (" + v.columns + ") SELECT " + v.columns + " FROM (" + statement(v) + ")" +
			" WHERE joinGet('partition_owners', 'token', {fence:UInt64}) = {token:UInt64}" +
			" AND joinGet('partition_owners', 'token', {fence:UInt64} + 1) = 0",
		Parameters: l.params(append(s.parameters(), clickhouse.Param("fence", f.Number),
			clickhouse.Param("token", f.Token))...),
	})
}

func statement(v view) string { return strings.TrimRight(sql.ClickHouse(v.difference), "; \n") }
