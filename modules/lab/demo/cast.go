package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/sql"
)

// How many people take part, at most.
const (
	minFollowees = 20
	maxOthers    = 40
	// How many feeds are looked at to find one in which every term has something to show.
	maxCandidates = 15
	maxFriends    = 8
	maxFans       = 2000
)

// cast are the people of the tour.
type cast struct {
	viewer  core.ID
	others  []core.ID // more people with feeds
	friends []core.ID // followees of the viewer whose posts lead the feed; nobody else touches these
	fans    []core.ID // people who like things
	names   map[core.ID]string
}

var errNoViewer = fmt.Errorf("nobody in the app's database follows %d people and likes posts: seed it first",
	minFollowees)

// findCast picks the viewers; their friends are found in the first page.
func findCast(ctx context.Context, db *pgxpool.Pool) (*cast, error) {
	viewers, err := ids(ctx, db, "seed_tour_viewers", minFollowees, maxOthers+1)
	if err != nil {
		return nil, err
	}
	if len(viewers) == 0 {
		return nil, errNoViewer
	}
	return &cast{viewer: viewers[0], others: viewers[1:], names: map[core.ID]string{}}, nil
}

// choose makes the one of a few the viewer whose feed has most to show, and returns their page.
func (t *tour) choose(ctx context.Context, first *page) (*page, error) {
	best, most := first, first.rich()
	asked, _ := t.cast.split()
	for _, other := range asked[:min(maxCandidates, len(asked))] {
		p, err := t.client.feed(ctx, other, pageLimit, true)
		if err != nil {
			return nil, fmt.Errorf("feed of user %d: %w", other, err)
		}
		if rich := p.rich(); rich > most && p.whole() {
			best, most = p, rich
			at := slices.Index(t.cast.others, other)
			t.cast.others[at], t.cast.viewer = t.cast.viewer, other
		}
	}
	return best, nil
}

var errNoFriends = errors.New("no page showed posts of followees: are the cdc source and the consumers running?")

// befriend takes the authors that lead the page and whom the viewer follows.
func (c *cast) befriend(ctx context.Context, db *pgxpool.Pool, p *page) (err error) {
	for _, item := range p.Items {
		if len(c.friends) < maxFriends && item.Source == sourceFollowees && !slices.Contains(c.friends, item.Author) {
			c.friends = append(c.friends, item.Author)
		}
	}
	if len(c.friends) < 2 {
		return errNoFriends
	}
	c.fans, err = ids(ctx, db, "seed_tour_fans", numbers(append([]core.ID{c.viewer}, c.friends...)), maxFans)
	if err == nil && len(c.fans) == 0 {
		err = errNoViewer
	}
	return err
}

// aside are those whom nobody else's doings should touch while the tour measures.
func (c *cast) aside() []core.ID { return append([]core.ID{c.viewer}, c.friends...) }

// split keeps a few of the others apart, whose feeds nobody has asked for before: the cache has none.
func (c *cast) split() (asked, untouched []core.ID) {
	apart := len(c.others) - min(3, len(c.others)/2)
	return c.others[:apart], c.others[apart:]
}

// name is what a user is called.
func (c *cast) name(ctx context.Context, db *pgxpool.Pool, user core.ID) string {
	if name, known := c.names[user]; known {
		return name
	}
	var id core.ID
	var name string
	if err := db.QueryRow(ctx, sql.Postgres("seed_tour_names"), []int64{int64(user)}).Scan(&id, &name); err != nil {
		name = "user " + user.String() // a name is for show
	}
	c.names[user] = name
	return name
}

func ids(ctx context.Context, db *pgxpool.Pool, query string, args ...any) ([]core.ID, error) {
	rows, err := db.Query(ctx, sql.Postgres(query), args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[core.ID])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	return found, nil
}

// numbers are ids as a bigint array.
func numbers(ids []core.ID) []int64 {
	out := make([]int64, len(ids))
	for i, id := range ids {
		out[i] = int64(id)
	}
	return out
}

// settleEvery is the pace of asking where no latency is measured.
const settleEvery = 200 * time.Millisecond

// settle waits until the program has caught up with the app's database: a page that holds, made from
// ClickHouse, of posts whose counts stand still.
func (t *tour) settle(ctx context.Context) (*page, error) {
	var last *page
	began, changed := time.Now(), time.Time{}
	_, err := until(ctx, t.opts.patience.settle, settleEvery, func(ctx context.Context) (bool, error) {
		p, err := t.client.feed(ctx, t.cast.viewer, pageLimit, true)
		// Events of the past are counted by the next recount of the hot set.
		counted := p.counted() || time.Since(began) > t.opts.patience.counts
		if err != nil || !counted || len(p.Items) == 0 || !p.whole() || !p.has(sourceFollowees) {
			last, changed = nil, time.Now()
			return false, ctx.Err() // not yet
		}
		if last == nil || !p.sameCounts(last) {
			last, changed = p, time.Now()
		}
		return time.Since(changed) > t.opts.patience.still, nil
	})
	if err != nil {
		return nil, fmt.Errorf("wait for the first feed of user %d: %w", t.cast.viewer, err)
	}
	return last, nil
}
