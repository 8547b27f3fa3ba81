package posts

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/window"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// Posts knows whose a post is, whether it may be shown, and who has blocked whom: from the copies of the
// app's tables in ClickHouse. What a client says of it counts nothing. All partitions of a process share it.
type Posts struct {
	client *clickhouse.Client
	clock  core.Clock

	mu    sync.Mutex
	known *window.Map[core.ID, Known]
}

// Known is what there is a record of.
type Known struct {
	Author core.ID
	Gone   bool
	read   int64 // milliseconds since 1970
}

// fresh tells whether it still holds at a time.
func (k Known) fresh(now int64) bool {
	if k.Gone {
		return now-k.read <= goneFresh.Milliseconds()
	}
	return now-k.read <= shownFresh.Milliseconds()
}

const (
	rememberedPosts = 400_000          // about 60 bytes each
	shownFresh      = 5 * time.Minute  // an author never changes, and a post that was deleted since is shown to nobody
	goneFresh       = 30 * time.Second // what is shown again counts again
	askedAtOnce     = 100_000          // in one query
)

// New makes one.
func New(client *clickhouse.Client, clock core.Clock) *Posts {
	return &Posts{client: client, clock: clock, known: window.New[core.ID, Known](rememberedPosts)}
}

// Find tells of those posts in found that there is a record of, and takes the others out.
func (p *Posts) Find(ctx context.Context, found map[core.ID]Known) error {
	var ask []core.ID
	now := p.clock.Now().UnixMilli()
	p.mu.Lock()
	for id := range found {
		if k, ok := p.known.Find(id); ok && k.fresh(now) {
			found[id] = k
		} else {
			ask = append(ask, id)
			delete(found, id)
		}
	}
	p.mu.Unlock()
	return p.Look(ctx, ask, found)
}

// Look asks ClickHouse for posts, and puts those that there is a record of into found.
func (p *Posts) Look(ctx context.Context, ids []core.ID, found map[core.ID]Known) error {
	now := p.clock.Now().UnixMilli()
	for chunk := range slices.Chunk(ids, askedAtOnce) {
		var id, author proto.ColInt64
		var gone proto.ColUInt8
		err := p.client.Read(ctx, clickhouse.Query{Name: "event_posts", Query: ch.Query{
			Body: sql.ClickHouse("event_posts"), ExternalTable: "asked",
			ExternalData: proto.Input{{Name: "post_id", Data: clickhouse.Column(chunk)}},
			Settings:     clickhouse.Background,
			Result: proto.Results{
				{Name: "id", Data: &id},
				{Name: "author", Data: &author},
				{Name: "gone", Data: &gone},
			},
			OnResult: func(context.Context, proto.Block) error {
				p.mu.Lock()
				defer p.mu.Unlock()
				for i := range id {
					k := Known{Author: core.ID(author[i]), Gone: gone[i] != 0 || author[i] == 0, read: now}
					found[core.ID(id[i])] = k
					p.known.Add(core.ID(id[i]), k)
				}
				return nil
			},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// Pair is a user and another.
type Pair struct{ User, Other core.ID }

// Blocks are those of these pairs in which the first has blocked the other.
func (p *Posts) Blocks(ctx context.Context, pairs []Pair) (map[Pair]struct{}, error) {
	all := map[Pair]struct{}{}
	for chunk := range slices.Chunk(pairs, askedAtOnce) {
		var asked, askedOther, user, other proto.ColInt64
		for _, pair := range chunk {
			asked, askedOther = append(asked, int64(pair.User)), append(askedOther, int64(pair.Other))
		}
		err := p.client.Read(ctx, clickhouse.Query{Name: "event_blocks", Query: ch.Query{
			Body: sql.ClickHouse("event_blocks"), ExternalTable: "asked",
			ExternalData: proto.Input{{Name: "user_id", Data: &asked}, {Name: "other_id", Data: &askedOther}},
			Settings:     clickhouse.Background,
			Result:       proto.Results{{Name: "user_id", Data: &user}, {Name: "other_id", Data: &other}},
			OnResult: func(context.Context, proto.Block) error {
				for i := range user {
					all[Pair{core.ID(user[i]), core.ID(other[i])}] = struct{}{}
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
