package consumer

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
	known *window.Map[core.ID, knownPost]
}

// knownPost is what there is a record of.
type knownPost struct {
	author core.ID
	gone   bool
	read   int64 // milliseconds since 1970
}

const (
	rememberedPosts = 400_000          // about 60 bytes each
	postFresh       = 30 * time.Second // an author never changes, and a deleted post is shown to nobody
	postsAtOnce     = 5000             // in one query
)

// NewPosts makes one.
func NewPosts(client *clickhouse.Client, clock core.Clock) *Posts {
	return &Posts{client: client, clock: clock, known: window.New[core.ID, knownPost](rememberedPosts)}
}

// find tells of those posts in found that there is a record of, and takes the others out.
func (p *Posts) find(ctx context.Context, found map[core.ID]knownPost) error {
	var ask []core.ID
	oldest := p.clock.Now().Add(-postFresh).UnixMilli()
	p.mu.Lock()
	for id := range found {
		if k, ok := p.known.Find(id); ok && k.read >= oldest {
			found[id] = k
		} else {
			ask = append(ask, id)
			delete(found, id)
		}
	}
	p.mu.Unlock()
	return p.look(ctx, ask, found)
}

// look asks ClickHouse.
func (p *Posts) look(ctx context.Context, ids []core.ID, found map[core.ID]knownPost) error {
	now := p.clock.Now().UnixMilli()
	for chunk := range slices.Chunk(ids, postsAtOnce) {
		var id, author proto.ColInt64
		var gone proto.ColUInt8
		err := p.client.Read(ctx, clickhouse.Query{Name: "event_posts", Query: ch.Query{
			Body: sql.ClickHouse("event_posts"), Parameters: clickhouse.Params(map[string]any{"ids": chunk}),
			Settings: clickhouse.Background,
			Result: proto.Results{
				{Name: "id", Data: &id},
				{Name: "author", Data: &author},
				{Name: "gone", Data: &gone},
			},
			OnResult: func(context.Context, proto.Block) error {
				p.mu.Lock()
				defer p.mu.Unlock()
				for i := range id {
					k := knownPost{author: core.ID(author[i]), gone: gone[i] != 0 || author[i] == 0, read: now}
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

// pair is a viewer and somebody else.
type pair struct{ viewer, other core.ID }

// blocked are all pairs of these people and somebody whom they block, or who blocks them.
func (p *Posts) blocked(ctx context.Context, users []core.ID) (map[pair]struct{}, error) {
	all := map[pair]struct{}{}
	for chunk := range slices.Chunk(users, postsAtOnce) {
		var viewer, other proto.ColInt64
		err := p.client.Read(ctx, clickhouse.Query{Name: "event_blocked", Query: ch.Query{
			Body: sql.ClickHouse("event_blocked"), Parameters: clickhouse.Params(map[string]any{"users": chunk}),
			Settings: clickhouse.Background,
			Result:   proto.Results{{Name: "viewer_id", Data: &viewer}, {Name: "other_id", Data: &other}},
			OnResult: func(context.Context, proto.Block) error {
				for i := range viewer {
					all[pair{core.ID(viewer[i]), core.ID(other[i])}] = struct{}{}
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
