package graph

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// Most viewers have few rows, and for these ClickHouse works longer on the plan that merges, sums and
// sorts them than on reading them. So rows are read as they lie, and put together here; who has more is
// asked for with the whole question. doc.go says why.

// maxActRows is how many rows of what a viewer did are few: ten weeks of sixty authors a day.
const maxActRows = 4000

// edgeRow is one row of the copy: a state of a row of the app.
type edgeRow struct {
	kind    int8
	other   core.ID
	rowKey  string
	version uint64
	deleted bool
	until   int64 // milliseconds since 1970; 0: it does not end by itself
}

func (e edgeRow) compare(o edgeRow) int {
	return cmp.Or(cmp.Compare(e.kind, o.kind), cmp.Compare(e.other, o.other), cmp.Compare(e.rowKey, o.rowKey),
		cmp.Compare(e.version, o.version))
}

// fewEdges are a viewer's relations, unless there are more than maxEdges rows of them.
func (c *ClickHouse) fewEdges(ctx context.Context, viewer core.ID) (edges []reserve.Author, ends []reserve.End,
	all bool, err error,
) {
	var (
		kind    proto.ColInt8
		other   proto.ColInt64
		rowKey  proto.ColStr
		version proto.ColUInt64
		deleted proto.ColUInt8
		until   proto.ColInt64
		rows    []edgeRow
	)
	err = c.client.Read(ctx, clickhouse.Query{Name: "feed_viewer_edge_rows", Query: ch.Query{
		Body:       sql.ClickHouse("feed_viewer_edge_rows"),
		Parameters: clickhouse.Params(map[string]any{"viewer": int64(viewer), "limit": c.maxEdges + 1}),
		Settings:   clickhouse.PointRead,
		Result: proto.Results{
			{Name: "kind", Data: &kind},
			{Name: "other_id", Data: &other},
			{Name: "row_key", Data: &rowKey},
			{Name: "version", Data: &version},
			{Name: "is_deleted", Data: &deleted},
			{Name: "until", Data: &until},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range other.Rows() {
				rows = append(rows, edgeRow{
					kind.Row(i), core.ID(other.Row(i)), rowKey.Row(i), version.Row(i),
					deleted.Row(i) != 0, until.Row(i),
				})
			}
			return nil
		},
	}})
	if err != nil || len(rows) > c.maxEdges {
		return nil, nil, false, err
	}
	edges, ends = edgesOf(rows)
	return edges, ends, true, nil
}

// edgesOf puts the states of rows together: the last of each row holds, and a relation stands while one of its rows
// does: it ends with the one that ends last.
func edgesOf(rows []edgeRow) (edges []reserve.Author, ends []reserve.End) {
	slices.SortFunc(rows, edgeRow.compare)
	for begin := 0; begin < len(rows); {
		first, end, stands, until := rows[begin], begin, false, int64(0)
		for ; end < len(rows) && rows[end].kind == first.kind && rows[end].other == first.other; end++ {
			last := end+1 == len(rows) || rows[end+1].kind != first.kind || rows[end+1].other != first.other ||
				rows[end+1].rowKey != rows[end].rowKey
			if !last || rows[end].deleted {
				continue
			}
			if at := rows[end].until; at == 0 || stands && until == 0 {
				until = 0
			} else {
				until = max(until, at)
			}
			stands = true
		}
		switch {
		case stands:
			relation := relationOf(int(first.kind))
			edges = append(edges, reserve.Author{ID: first.other, Relation: relation})
			if until != 0 && relation&reserve.BlockedOrMuted != 0 {
				ends = append(ends, reserve.End{Author: first.other, Relation: relation, At: until})
			}
		case first.kind == kindFollow:
			edges = append(edges, reserve.Author{ID: first.other, Relation: reserve.Unfollowed})
		}
		begin = end
	}
	return edges, ends
}

// interactionRow is what a viewer did with the posts of an author on a day, or a part of it.
type interactionRow struct {
	author    core.ID
	day       time.Time
	partition uint16
	counts    rank.AuthorCounts
}

// compare has those first whom the viewer hid, then those with whom they had the most to do.
func (a interactionRow) compare(b interactionRow) int {
	hid := func(r interactionRow) int { return int(min(1, r.counts.Hides)) }
	reacted := func(r interactionRow) int64 { return r.counts.Likes + r.counts.Comments + r.counts.Shares }
	return cmp.Or(
		cmp.Compare(hid(b), hid(a)), cmp.Compare(reacted(b), reacted(a)), cmp.Compare(b.counts.Views, a.counts.Views),
		cmp.Compare(a.author, b.author),
	)
}

// summed is a column whose rows are parts of sums.
type summed struct{ proto.ColInt64 }

// Type implements proto.ColResult.
func (*summed) Type() proto.ColumnType { return "SimpleAggregateFunction(sum, Int64)" }

// fewInteractions are what a viewer did with the posts of each author, unless there are more than maxActRows rows.
func (c *ClickHouse) fewInteractions(ctx context.Context, viewer core.ID,
	weights rank.Affinity,
) (interactions Interactions, all bool, err error) {
	var (
		author                                        proto.ColInt64
		day                                           proto.ColDate
		partition                                     proto.ColUInt16
		views, clicks, likes, comments, shares, hides summed
		rows                                          []interactionRow
	)
	err = c.client.Read(ctx, clickhouse.Query{Name: "feed_viewer_act_rows", Query: ch.Query{
		Body:       sql.ClickHouse("feed_viewer_act_rows"),
		Parameters: clickhouse.Params(map[string]any{"viewer": int64(viewer), "limit": maxActRows + 1}),
		Settings:   clickhouse.PointRead,
		Result: proto.Results{
			{Name: "author_id", Data: &author},
			{Name: "day", Data: &day},
			{Name: "kafka_partition", Data: &partition},
			{Name: "views", Data: &views},
			{Name: "clicks", Data: &clicks},
			{Name: "likes", Data: &likes},
			{Name: "comments", Data: &comments},
			{Name: "shares", Data: &shares},
			{Name: "hides", Data: &hides},
		},
		OnResult: func(context.Context, proto.Block) error {
			for i := range author.Rows() {
				rows = append(rows, interactionRow{
					core.ID(author.Row(i)), day.Row(i), partition.Row(i),
					rank.AuthorCounts{
						Views: views.Row(i), Clicks: clicks.Row(i), Likes: likes.Row(i), Comments: comments.Row(i),
						Shares: shares.Row(i), Hides: hides.Row(i),
					},
				})
			}
			return nil
		},
	}})
	if err != nil || len(rows) > maxActRows {
		return Interactions{}, false, err
	}
	return interactionsOf(rows, c.clock.Now(), weights, c.maxAffinity), true, nil
}

// interactionsOf sums rows up by author. Of more authors than most, those stay with whom the viewer had the most
// to do.
func interactionsOf(rows []interactionRow, now time.Time, weights rank.Affinity, most int) (interactions Interactions) {
	within := windowAt(now)
	byAuthor := make(map[core.ID]rank.AuthorCounts, len(rows))
	for _, r := range rows {
		if r.day.Before(within.first) {
			continue
		}
		sum := byAuthor[r.author]
		sum.Add(r.counts)
		byAuthor[r.author] = sum
		interactions.Where.add(r.day, r.partition, within)
		if r.day.After(within.hidden) {
			interactions.HiddenLately += r.counts.Hides
		}
		if !r.day.Before(within.yesterday) {
			interactions.ViewedLately += r.counts.Views
		}
	}
	authors := make([]interactionRow, 0, len(byAuthor))
	for author, sum := range byAuthor {
		authors = append(authors, interactionRow{author: author, counts: sum})
	}
	slices.SortFunc(authors, interactionRow.compare)
	for _, a := range authors[:min(most, len(authors))] {
		interactions.Authors = append(interactions.Authors,
			reserve.Author{ID: a.author, Interactions: float32(weights.Weighted(a.counts))})
	}
	return interactions
}
