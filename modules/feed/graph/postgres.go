package graph

import (
	"context"
	"encoding/json"
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

// Names tells the keys of numbers that were derived from them, and learns those that are read.
type Names struct {
	Texts func(ctx context.Context, ids []core.ID) (map[core.ID]string, error)
	Learn func(key string) (core.ID, error)
}

// Postgres reads the app's own tables.
type Postgres struct {
	db       postgres.Reader
	keys     keys
	maxEdges int
	edges    string
	back     string // empty: no posts are for mutuals
	groups   string // empty: no posts are for members of groups
	hides    string // empty: the app keeps none
	timeline string
	inGroups string // a timeline of groups; empty: posts are in none
	recent   string
	posts    string
	absent   string // empty: nobody ever is
	private  string // empty: nobody's account ever is
	optedOut string // empty: nobody ever opts out of being recommended
	labelsOf func(map[string]json.RawMessage) ([]string, error)
	odd      atomic.Int64
}

// NewPostgres prepares the queries for the app's tables.
func NewPostgres(db postgres.Reader, tables Tables, maxEdges int, names Names) *Postgres {
	// whose rows fulfil a condition; empty: nobody's do
	whose := func(condition string) string {
		if condition == "" {
			return ""
		}
		some := tables
		some.Users.Absent = condition
		return some.query("feed_absent")
	}
	back := ""
	if tables.Posts.Mutuals {
		back = tables.query("feed_viewer_followed_back")
	}
	groups := ""
	if tables.Members.Table != "" {
		groups = tables.query("feed_viewer_groups")
	}
	inGroups := ""
	if tables.Members.Table != "" && tables.Posts.Group != "" {
		inGroups = tables.query("feed_timeline_groups")
	}
	hides := ""
	if tables.Hides.Table != "" {
		hides = tables.query("feed_viewer_hides")
	}
	return &Postgres{
		back: back, groups: groups, inGroups: inGroups, hides: hides,
		db: db, keys: keys{names: names, forms: tables.Keys, textual: tables.textual()},
		maxEdges: maxEdges, absent: whose(tables.Users.Absent), private: whose(tables.Users.Private),
		optedOut: whose(tables.Users.NoDiscovery), labelsOf: tables.Posts.Labels,
		edges: tables.query("feed_viewer_edges"), timeline: tables.query("feed_timeline"),
		recent: tables.query("feed_recent_posts"), posts: tables.query("feed_posts"),
	}
}

// Edges are the viewer's relations, in no order. An author may come more than once.
func (p *Postgres) Edges(ctx context.Context, viewer core.ID) ([]reserve.Author, error) {
	key, err := p.keys.argument(ctx, viewer)
	if err != nil {
		return nil, fmt.Errorf("edges of %s: %w", viewer, err)
	}
	edges, err := p.people(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("edges of %s: %w", viewer, err)
	}
	if p.groups != "" {
		groups, err := p.ids(ctx, p.groups, p.keys.group(), key, p.maxEdges)
		if err != nil {
			return nil, fmt.Errorf("groups of %s: %w", viewer, err)
		}
		for _, id := range groups {
			edges = append(edges, reserve.Author{ID: id, Relation: reserve.MemberOf})
		}
	}
	if p.hides != "" {
		posts, err := p.ids(ctx, p.hides, p.keys.post(), key, p.maxEdges)
		if err != nil {
			return nil, fmt.Errorf("hides of %s: %w", viewer, err)
		}
		for _, id := range posts {
			edges = append(edges, reserve.Author{ID: id, Relation: reserve.HidPost})
		}
	}
	if p.back == "" {
		return edges, nil
	}
	return withMutuals(edges, func(followees []core.ID) ([]core.ID, error) {
		authors, err := p.keys.arguments(ctx, followees)
		if err != nil {
			return nil, fmt.Errorf("mutuals of %s: %w", viewer, err)
		}
		return p.ids(ctx, p.back, p.keys.user(), authors, key)
	})
}

// people are whom the viewer follows, blocks and mutes, and who blocks them.
func (p *Postgres) people(ctx context.Context, key any) ([]reserve.Author, error) {
	rows, err := p.db.Query(ctx, p.edges, key, p.maxEdges)
	if err != nil {
		return nil, err
	}
	var (
		edges []reserve.Author
		kind  int
		other = p.keys.user()
	)
	_, err = pgx.ForEachRow(rows, []any{&kind, other.target()}, func() error {
		if id := other.id(); id.Valid() {
			edges = append(edges, reserve.Author{ID: id, Relation: relationOf(kind)})
		}
		return nil
	})
	return edges, err
}

// afterAll is later than the time of any post.
var afterAll = time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC)

// Timeline is what the viewer's followees posted, latest first, without those who are barred. It begins after the post
// with that time (microseconds since 1970) and id; without an id, with the latest of that time; zero is the beginning.
func (p *Postgres) Timeline(ctx context.Context, viewer core.ID, created int64, post core.ID, limit int) ([]core.Post,
	error,
) {
	return p.timelineBy(ctx, p.timeline, viewer, created, post, limit)
}

// GroupTimeline is the same of what others than the followees posted in the viewer's groups.
func (p *Postgres) GroupTimeline(ctx context.Context, viewer core.ID, created int64, post core.ID, limit int) (
	[]core.Post, error,
) {
	if p.inGroups == "" {
		return nil, nil
	}
	return p.timelineBy(ctx, p.inGroups, viewer, created, post, limit)
}

func (p *Postgres) timelineBy(ctx context.Context, query string, viewer core.ID, created int64, post core.ID,
	limit int,
) ([]core.Post, error) {
	what := "timeline of " + viewer.String()
	key, err := p.keys.argument(ctx, viewer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	before, after := time.UnixMicro(created), int64(math.MaxInt64)
	switch {
	case created == 0:
		before = afterAll
	case post == 0:
	default:
		if after, err = p.keys.place(ctx, post); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
	}
	for n := limit; ; n *= 2 {
		posts, odd, err := p.read(ctx, what, query, key, before, after, n)
		if odd == 0 || len(posts) >= limit || len(posts)+odd < n || err != nil { // else it would seem to end here
			return posts[:min(limit, len(posts))], err
		}
	}
}

// Recent are the latest posts of all that are not dated later than until, without the viewer's own and those who are
// barred.
func (p *Postgres) Recent(ctx context.Context, viewer core.ID, until time.Time, limit int) ([]core.Post, error) {
	key, err := p.keys.argument(ctx, viewer)
	if err != nil {
		return nil, fmt.Errorf("recent posts: %w", err)
	}
	posts, _, err := p.read(ctx, "recent posts", p.recent, key, until, limit)
	return posts, err
}

// Posts are those of some posts that may be shown, in no order. One whose key nobody knows is left out.
func (p *Postgres) Posts(ctx context.Context, ids []core.ID) ([]core.Post, error) {
	keys, err := p.keys.arguments(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("posts: %w", err)
	}
	posts, _, err := p.read(ctx, "posts", p.posts, keys)
	return posts, err
}

// Absent are people whom nobody is to see, by what the app's table says of them: at most limit, none who were deleted.
func (p *Postgres) Absent(ctx context.Context, limit int) ([]core.ID, error) {
	return p.some(ctx, p.absent, limit)
}

// Private are people whose posts only their followers see, by what the app's table says of them: at most limit.
func (p *Postgres) Private(ctx context.Context, limit int) ([]core.ID, error) {
	return p.some(ctx, p.private, limit)
}

// OptedOut are people who are not to be recommended, by what the app's table says of them: at most limit.
func (p *Postgres) OptedOut(ctx context.Context, limit int) ([]core.ID, error) {
	return p.some(ctx, p.optedOut, limit)
}

func (p *Postgres) some(ctx context.Context, query string, limit int) ([]core.ID, error) {
	if query == "" {
		return nil, nil
	}
	return p.ids(ctx, query, p.keys.user(), limit)
}

// ids are those that a query gives, in its only column.
func (p *Postgres) ids(ctx context.Context, query string, id *column, args ...any) ([]core.ID, error) {
	rows, err := p.db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("ids of the app: %w", err)
	}
	var ids []core.ID
	_, err = pgx.ForEachRow(rows, []any{id.target()}, func() error {
		if found := id.id(); found.Valid() {
			ids = append(ids, found)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ids of the app: %w", err)
	}
	return ids, nil
}

// read gives posts, and how many rows were left out: without a key or an author that can be, or of no time.
func (p *Postgres) read(ctx context.Context, what, query string, args ...any) (posts []core.Post, odd int, err error) {
	rows, err := p.db.Query(ctx, query, args...)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", what, err)
	}
	var (
		post    = p.keys.post()
		author  = p.keys.user()
		created pgtype.Timestamptz
		who     int16
		group   = p.keys.group()
		marked  pgtype.Text
		targets = []any{post.target(), author.target(), &created, &who, group.target(), &marked}
	)
	_, err = pgx.ForEachRow(rows, targets, func() error {
		id, by := post.id(), author.id()
		if !id.Valid() || author.null() || (p.keys.textual && !by.Valid()) || !created.Valid ||
			created.InfinityModifier != pgtype.Finite {
			odd++
			return nil
		}
		labels, known := p.labels(marked)
		if !known {
			odd++
			return nil
		}
		posts = append(posts, core.Post{
			ID: id, AuthorID: by, CreatedAt: created.Time.UTC(), Audience: core.Audience(who), Group: group.id(),
			Labels: labels,
		})
		return nil
	})
	p.odd.Add(int64(odd))
	if err != nil {
		return nil, odd, fmt.Errorf("%s: %w", what, err)
	}
	return posts, odd, nil
}

// labels are those that the columns of a post give it; known is false where they cannot be read: then the copy does not
// have the post as it is, either.
func (p *Postgres) labels(columns pgtype.Text) (labels core.Labels, known bool) {
	if !columns.Valid || p.labelsOf == nil {
		return "", true
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(columns.String), &fields) != nil {
		return "", false
	}
	texts, err := p.labelsOf(fields)
	if err != nil {
		return "", false
	}
	ids := make([]core.ID, 0, len(texts))
	for _, text := range texts {
		if id := p.keys.learn(text); id.Valid() {
			ids = append(ids, id)
		}
	}
	return core.LabelsOf(ids...), true
}

// Odd is how many rows were left out because they have no author, or no time that can be.
func (p *Postgres) Odd() int64 { return p.odd.Load() }
