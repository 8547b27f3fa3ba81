package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/sql"
)

// showPosts inserts and deletes posts in SQL and waits for both to show, and measures how long commits
// take to ClickHouse and to the page.
func (t *tour) showPosts(ctx context.Context) error {
	friend := t.cast.friends[0]
	post, err := t.write(ctx, friend, "published")
	if err != nil {
		return err
	}
	came, err := until(ctx, t.opts.patience.show, lookEvery, t.shows(post, true))
	if err != nil {
		return fmt.Errorf("a new post of a followee: %w", errors.Join(err, t.remove(ctx, post)))
	}
	t.screen.say("INSERT INTO posts by %s, whom the viewer follows: on the page after %s.",
		t.cast.name(ctx, t.db, friend), t.screen.paint(cyan, short(came)))
	if err := t.remove(ctx, post); err != nil {
		return err
	}
	went, err := until(ctx, t.opts.patience.show, lookEvery, t.shows(post, false))
	if err != nil {
		return fmt.Errorf("a deleted post: %w", err)
	}
	t.screen.say("DELETE FROM posts: gone after %s.", t.screen.paint(cyan, short(went)))
	t.note("delete_visible_ms", went)
	if _, err := t.checked(ctx, t.cast.viewer); err != nil {
		return err
	}

	times, err := t.commitsToFeed(ctx, t.opts.Trials)
	t.figures = append(t.figures, times.figures("commit_feed")...)
	if err != nil {
		return fmt.Errorf("commit to feed: %w", err)
	}
	t.screen.say("From a commit to the changed feed: %s.", times)
	if t.deps.ClickHouse == nil {
		return nil
	}
	times, err = t.commitsToClickHouse(ctx, t.opts.Trials)
	t.figures = append(t.figures, times.figures("commit_clickhouse")...)
	if err != nil {
		return fmt.Errorf("commit to ClickHouse: %w", err)
	}
	t.screen.say("From a commit to its row in ClickHouse: %s.", times)
	return nil
}

// shows asks whether the viewer's page has a post, or has it no longer.
func (t *tour) shows(post core.ID, want bool) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		p, err := t.look(ctx)
		if err != nil {
			return false, err
		}
		return len(p.Items) > 0 && (p.find(post) != nil) == want, nil
	}
}

// commitsToFeed runs trials: a friend writes a post, and the viewer's page has it.
func (t *tour) commitsToFeed(ctx context.Context, n int) (times latencies, err error) {
	posts := make([]core.ID, len(t.cast.friends))
	defer func() { err = errors.Join(err, t.remove(context.WithoutCancel(ctx), posts...)) }()
	begin := func(ctx context.Context, slot int) (err error) {
		// The last one makes room: an author has few places on a page.
		if err := t.remove(ctx, posts[slot]); err != nil {
			return err
		}
		posts[slot], err = t.write(ctx, t.cast.friends[slot], "published")
		return err
	}
	return trials(ctx, t.opts.patience.show, n, len(posts), begin, func(ctx context.Context) (func(int) bool, error) {
		p, err := t.look(ctx)
		if err != nil {
			return nil, err
		}
		return func(slot int) bool { return p.find(posts[slot]) != nil }, nil
	})
}

// commitsToClickHouse runs trials: a friend writes a draft, which nobody is shown, and its row is in
// ClickHouse.
func (t *tour) commitsToClickHouse(ctx context.Context, n int) (times latencies, err error) {
	posts := make([]core.ID, len(t.cast.friends))
	var all []core.ID
	defer func() { err = errors.Join(err, t.remove(context.WithoutCancel(ctx), all...)) }()
	begin := func(ctx context.Context, slot int) (err error) {
		posts[slot], err = t.write(ctx, t.cast.friends[slot], "draft")
		all = append(all, posts[slot])
		return err
	}
	return trials(ctx, t.opts.patience.show, n, len(posts), begin, func(ctx context.Context) (func(int) bool, error) {
		if len(all) == 0 {
			return func(int) bool { return false }, nil
		}
		arrived, err := t.arrived(ctx, all[0])
		if err != nil {
			return nil, err
		}
		return func(slot int) bool { return arrived[posts[slot]] }, nil
	})
}

// arrived are the posts from first on that ClickHouse has.
func (t *tour) arrived(ctx context.Context, first core.ID) (map[core.ID]bool, error) {
	arrived, column := map[core.ID]bool{}, proto.ColInt64{}
	err := t.deps.ClickHouse.Read(ctx, clickhouse.Query{Name: "seed_arrived", Query: ch.Query{
		Body: sql.ClickHouse("seed_arrived"), Parameters: clickhouse.Params(map[string]any{"first": int64(first)}),
		Result: proto.Results{{Name: "id", Data: &column}},
		OnResult: func(context.Context, proto.Block) error {
			for _, id := range column {
				arrived[core.ID(id)] = true
			}
			return nil
		},
	}})
	return arrived, err
}

func (t *tour) write(ctx context.Context, author core.ID, status string) (post core.ID, err error) {
	err = t.db.QueryRow(ctx, sql.Postgres("seed_tour_post"), int64(author), "A post of the tour.", status).Scan(&post)
	if err != nil {
		return 0, fmt.Errorf("insert a post of user %d: %w", author, err)
	}
	return post, nil
}

// remove deletes posts in the app's database; those that are zero were never written.
func (t *tour) remove(ctx context.Context, posts ...core.ID) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := t.db.Exec(ctx, sql.Postgres("seed_tour_delete"), numbers(posts)); err != nil {
		return fmt.Errorf("delete posts: %w", err)
	}
	return nil
}
