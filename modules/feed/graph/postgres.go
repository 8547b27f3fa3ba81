package graph

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// Postgres reads the app's own tables.
type Postgres struct {
	db       postgres.Reader
	maxEdges int
	edges    string
	timeline string
	recent   string
	posts    string
	absent   string // empty: nobody ever is
	private  string // empty: nobody's account ever is
	odd      atomic.Int64
}

// NewPostgres prepares the queries for the app's tables.
func NewPostgres(db postgres.Reader, tables Tables, maxEdges int) *Postgres {
	absent := ""
	if tables.Users.Absent != "" {
		absent = tables.query("feed_absent")
	}
	private := ""
	if tables.Users.Private != "" {
		some := tables
		some.Users.Absent = some.Users.Private
		private = some.query("feed_absent")
	}
	return &Postgres{
		db: db, maxEdges: maxEdges, absent: absent, private: private,
		edges: tables.query("feed_viewer_edges"), timeline: tables.query("feed_timeline"),
		recent: tables.query("feed_recent_posts"), posts: tables.query("feed_posts"),
	}
}

// Edges are the viewer's relations, in no order. An author may come more than once.
func (p *Postgres) Edges(ctx context.Context, viewer core.ID) ([]reserve.Author, error) {
	rows, err := p.db.Query(ctx, p.edges, int64(viewer), p.maxEdges)
	if err != nil {
		return nil, fmt.Errorf("edges of %s: %w", viewer, err)
	}
	edges, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (reserve.Author, error) {
		var (
			kind  int
			other int64
		)
		err := row.Scan(&kind, &other)
		return reserve.Author{ID: core.ID(other), Relation: relationOf(kind)}, err
	})
	if err != nil {
		return nil, fmt.Errorf("edges of %s: %w", viewer, err)
	}
	return edges, nil
}

// afterAll is later than the time of any post.
var afterAll = time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC)

// Timeline is what the viewer's followees posted, latest first, without those who are barred. It begins after the post
// with that time (microseconds since 1970) and id; without an id, with the latest of that time; zero is the beginning.
func (p *Postgres) Timeline(ctx context.Context, viewer core.ID, created int64, post core.ID, limit int) ([]core.Post,
	error,
) {
	before := time.UnixMicro(created)
	switch {
	case created == 0:
		before, post = afterAll, math.MaxInt64
	case post == 0:
		post = math.MaxInt64
	}
	return p.read(ctx, "timeline of "+viewer.String(), p.timeline, int64(viewer), before, int64(post), limit)
}

// Recent are the latest posts of all that are not dated later than until, without the viewer's own and those who are
// barred.
func (p *Postgres) Recent(ctx context.Context, viewer core.ID, until time.Time, limit int) ([]core.Post, error) {
	return p.read(ctx, "recent posts", p.recent, int64(viewer), until, limit)
}

// Posts are those of some posts that may be shown, in no order.
func (p *Postgres) Posts(ctx context.Context, ids []core.ID) ([]core.Post, error) {
	keys := make([]int64, len(ids))
	for i, id := range ids {
		keys[i] = int64(id)
	}
	return p.read(ctx, "posts", p.posts, keys)
}

// Absent are people whom nobody is to see, by what the app's table says of them: at most limit, none who were deleted.
func (p *Postgres) Absent(ctx context.Context, limit int) ([]core.ID, error) {
	return p.people(ctx, p.absent, limit)
}

// Private are people whose posts only their followers see, by what the app's table says of them: at most limit.
func (p *Postgres) Private(ctx context.Context, limit int) ([]core.ID, error) {
	return p.people(ctx, p.private, limit)
}

func (p *Postgres) people(ctx context.Context, query string, limit int) ([]core.ID, error) {
	if query == "" {
		return nil, nil
	}
	rows, err := p.db.Query(ctx, query, limit)
	if err != nil {
		return nil, fmt.Errorf("people of the app: %w", err)
	}
	people, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (core.ID, error) {
		var id int64
		err := row.Scan(&id)
		return core.ID(id), err
	})
	if err != nil {
		return nil, fmt.Errorf("people of the app: %w", err)
	}
	return people, nil
}

func (p *Postgres) read(ctx context.Context, what, query string, args ...any) ([]core.Post, error) {
	rows, err := p.db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	var (
		posts   []core.Post
		id      int64
		author  *int64
		created pgtype.Timestamptz
		who     int16
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &author, &created, &who}, func() error {
		if author == nil || !created.Valid || created.InfinityModifier != pgtype.Finite { // nobody's, or of no time
			p.odd.Add(1)
			return nil
		}
		posts = append(posts, core.Post{
			ID: core.ID(id), AuthorID: core.ID(*author), CreatedAt: created.Time.UTC(),
			Audience: core.Audience(who),
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return posts, nil
}

// Odd is how many rows were left out because they have no author, or no time that can be.
func (p *Postgres) Odd() int64 { return p.odd.Load() }
