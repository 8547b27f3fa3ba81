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

// pageLimit is the most that one page of a feed holds.
const pageLimit = 100

// The words of the API that the tour looks for.
const (
	sourceFollowees  = "followees"
	servedCache      = "cache"
	servedClickHouse = "clickhouse"
	servedStale      = "stale" // from the cache while it is refreshed; degraded only without ClickHouse
)

// page is what GET /api/v1/feed answers.
type page struct {
	Items      []item `json:"items"`
	ServedFrom string `json:"served_from"`
	Degraded   bool   `json:"degraded"`
}

type item struct {
	Post      core.ID       `json:"post"`
	Author    core.ID       `json:"author"`
	CreatedAt time.Time     `json:"created_at"`
	Score     float64       `json:"score"`
	Source    string        `json:"source"`
	Explain   *core.Explain `json:"explain"`
}

// find is the place of a post on the page, or nil.
func (p *page) find(post core.ID) *item {
	for i := range p.Items {
		if p.Items[i].Post == post {
			return &p.Items[i]
		}
	}
	return nil
}

// by tells whether the page has a post of an author.
func (p *page) by(author core.ID) bool {
	for i := range p.Items {
		if p.Items[i].Author == author {
			return true
		}
	}
	return false
}

func (p *page) has(source string) bool {
	for i := range p.Items {
		if p.Items[i].Source == source {
			return true
		}
	}
	return false
}

// rich counts the terms that have something to show among the first posts.
func (p *page) rich() int {
	n := 0
	for _, it := range p.Items[:min(shownItems, len(p.Items))] {
		if it.Explain == nil {
			continue
		}
		if it.Explain.Affinity > 0 {
			n++
		}
		if it.Explain.Inputs.Likes > 0 {
			n++
		}
		if it.Source == sourceFollowees {
			n++
		}
	}
	return n
}

// counted tells whether what others did with the posts has arrived.
func (p *page) counted() bool {
	return p != nil && slices.ContainsFunc(p.Items,
		func(it item) bool { return it.Explain != nil && it.Explain.Inputs.Exposures > 0 })
}

// whole tells whether the page was made with nothing missing.
func (p *page) whole() bool {
	return !p.Degraded && (p.ServedFrom == servedCache || p.ServedFrom == servedClickHouse ||
		p.ServedFrom == servedStale)
}

// likes is the like count that a post is ranked by, as the page explains it.
func (p *page) likes(post core.ID) (int64, bool) {
	if at := p.find(post); at != nil && at.Explain != nil {
		return at.Explain.Inputs.Likes, true
	}
	return 0, false
}

// exposures is how often a post was seen, as the page explains it.
func (p *page) exposures(post core.ID) int64 {
	if at := p.find(post); at != nil && at.Explain != nil {
		return at.Explain.Inputs.Exposures
	}
	return 0
}

// sameCounts tells whether two pages show the same posts with the same likes, in any order.
func (p *page) sameCounts(other *page) bool {
	if len(p.Items) != len(other.Items) {
		return false
	}
	for i := range p.Items {
		mine, _ := p.likes(p.Items[i].Post)
		if theirs, shown := other.likes(p.Items[i].Post); !shown || mine != theirs {
			return false
		}
	}
	return true
}

// What may be wrong with a page.
var (
	errEmpty    = errors.New("the page is empty")
	errRepeated = errors.New("the page repeats a post")
	errForeign  = errors.New("the page has a post that it may not have")
)

// check holds a page against the app's own tables: it is not empty, no post stands twice, and none is
// deleted, the viewer's own, or of somebody blocked or muted.
func (p *page) check(ctx context.Context, db *pgxpool.Pool, viewer core.ID) error {
	if len(p.Items) == 0 {
		return errEmpty
	}
	posts, authors := make([]int64, 0, len(p.Items)), make([]int64, 0, len(p.Items))
	met := make(map[core.ID]bool, len(p.Items))
	for _, item := range p.Items {
		if met[item.Post] {
			return fmt.Errorf("%w: %d", errRepeated, item.Post)
		}
		met[item.Post] = true
		posts, authors = append(posts, int64(item.Post)), append(authors, int64(item.Author))
	}
	var post core.ID
	var wrong string
	err := db.QueryRow(ctx, sql.Postgres("seed_tour_check"), int64(viewer), posts, authors).Scan(&post, &wrong)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("check a page against PostgreSQL: %w", err)
	default:
		return fmt.Errorf("%w: %d, which %s (feed of user %d, served from %s)", errForeign, post, wrong, viewer,
			p.ServedFrom)
	}
}
