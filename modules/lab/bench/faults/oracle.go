package faults

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// oracle knows what must not be shown, and to whom.
type oracle struct {
	barred  map[core.ID]map[core.ID]bool // by viewer: authors who are blocked, either way, or muted
	hidden  map[core.ID]map[core.ID]bool // by viewer: posts that they hid
	deleted map[core.ID]bool
	*society
}

// unfiltered is where trending posts come from that show an author whom nobody could know to be barred:
// neither ClickHouse nor PostgreSQL gave the viewer's graph, and the replica remembers nothing of them.
const unfiltered = "trending unfiltered"

// emptyFeed is what is wrong with a feed that shows nothing.
const emptyFeed = "empty"

// judge tells where a feed came from, or what is wrong with it.
func (t *oracle) judge(viewer core.ID, body []byte) (from, wrong string) {
	barred, hidden, items := t.barred[viewer], t.hidden[viewer], 0
	from = harness.ServedFrom(body)
	for post, author := range itemsOf(body) {
		items++
		switch {
		case author == viewer:
			return from, "own post"
		case t.deleted[post]:
			return from, "deleted post"
		case barred[author] && nobodyKnew(body):
			from = unfiltered
		case barred[author]:
			return from, "barred author"
		case hidden[post]:
			return from, "hidden post"
		}
		if why := t.forbids(viewer, post, author); why != "" {
			return from, why
		}
	}
	if items == 0 {
		return from, emptyFeed
	}
	return from, ""
}

// nobodyKnew tells whether an answer says that it had to do without its viewer's graph.
func nobodyKnew(body []byte) bool {
	failed := func(server string) bool {
		return bytes.Contains(body, []byte(`{"name":"`+server+`","posts":0,"ok":false}`))
	}
	return harness.ServedFrom(body) == "trending" && failed("clickhouse") && failed("postgres")
}

// itemsOf goes through the posts of a page and their authors without decoding all of it: the generator
// shares the machine with what it measures.
func itemsOf(body []byte) func(yield func(post, author core.ID) bool) {
	number := func(key string) (id core.ID, ok bool) {
		at := bytes.Index(body, []byte(key))
		if at < 0 {
			return 0, false
		}
		body = body[at+len(key):]
		for len(body) > 0 && body[0] >= '0' && body[0] <= '9' {
			id, body = 10*id+core.ID(body[0]-'0'), body[1:]
		}
		return id, true
	}
	return func(yield func(post, author core.ID) bool) {
		for {
			post, ok := number(`{"post":"`)
			if !ok {
				return
			}
			if author, ok := number(`"author":"`); !ok || !yield(post, author) {
				return
			}
		}
	}
}

// viewers are users of the world and their requests.
type viewers struct {
	ids   []core.ID
	feeds []harness.Request
	truth *oracle
}

// known are n users who each block, are blocked by and mute the author of a post that their feed
// begins with, and hide a post; of each feed a post is for a few alone; some authors are suspended, private
// or gone; some trending posts are deleted. It returns once every feed of every replica obeys, so that each
// has seen all of them.
func known(ctx context.Context, on *harness.Environment, replicas []string, n int) (*viewers, error) {
	at := replicas[0]
	v := &viewers{truth: &oracle{
		barred: map[core.ID]map[core.ID]bool{}, hidden: map[core.ID]map[core.ID]bool{},
		deleted: map[core.ID]bool{},
	}}
	if err := choose(ctx, on, v, n); err != nil {
		return nil, err
	}
	for i := range n {
		if err := bar(ctx, on, at, v, i); err != nil {
			return nil, err
		}
	}
	if err := deleteTrending(ctx, on, at, v); err != nil {
		return nil, err
	}
	if err := readBars(ctx, on, v.truth); err != nil {
		return nil, err
	}
	var err error
	if v.truth.society, err = readSociety(ctx, on); err != nil {
		return nil, err
	}
	for i := range n * len(replicas) {
		if err := v.obeys(ctx, replicas[i/n], i%n); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// obeyWithin is when a feed has failed that still shows what it must not, or is not cached.
const obeyWithin = time.Minute

// obeys waits until a viewer's feed is as it must be, from the cache of a replica.
func (v *viewers) obeys(ctx context.Context, replica string, who int) error {
	ctx, cancel := context.WithTimeout(ctx, obeyWithin)
	defer cancel()
	var from, wrong string
	what := fmt.Sprintf("the feed of %d obeys", v.ids[who])
	err := harness.Until(ctx, 20*time.Millisecond, what, func() (bool, error) {
		_, body, err := harness.Fetch(ctx, "http://"+replica+harness.FeedPath, v.feeds[who].Token)
		if err == nil {
			from, wrong = v.truth.judge(v.ids[who], body)
		}
		return err == nil && wrong == "" && from == "cache", nil
	})
	if err != nil {
		return fmt.Errorf("%w (from %s: %q)", err, from, wrong)
	}
	return nil
}

// choose puts n users first whose followees have posted so much that their timelines are not empty.
func choose(ctx context.Context, on *harness.Environment, v *viewers, n int) error {
	rows, err := on.Postgres.Query(ctx, `SELECT f.follower_id FROM public.follows f JOIN public.posts p ON p.author_id = f.followee_id
		WHERE p.deleted_at IS NULL GROUP BY f.follower_id HAVING count(*) >= 40 AND count(DISTINCT p.author_id) >= 10 ORDER BY f.follower_id LIMIT $1`, n)
	if err != nil {
		return err
	}
	first, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	if len(first) < n {
		return fmt.Errorf("%d people have a timeline, %d are needed: %w", len(first), n, harness.ErrEmpty)
	}
	chosen := map[core.ID]bool{}
	for _, id := range first {
		chosen[core.ID(id)] = true
		v.ids = append(v.ids, core.ID(id))
	}
	for _, id := range on.ViewerIDs(0, on.World.Users) {
		if !chosen[id] {
			v.ids = append(v.ids, id)
		}
	}
	for _, id := range v.ids {
		token, err := on.Token(id)
		if err != nil {
			return err
		}
		v.feeds = append(v.feeds, harness.Request{Path: harness.FeedPath, Token: token})
	}
	return nil
}

// bar has a viewer bar three authors and hide a post that their feed shows, and restricts another.
func bar(ctx context.Context, on *harness.Environment, at string, v *viewers, i int) error {
	viewer := v.ids[i]
	status, body, err := harness.Fetch(ctx, "http://"+at+harness.FeedPath, v.feeds[i].Token)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("feed of %d: status %d: %w", viewer, status, err)
	}
	var authors, posts, by []core.ID
	for post, author := range itemsOf(body) {
		posts, by = append(posts, post), append(by, author)
		if author != viewer && !slices.Contains(authors, author) {
			authors = append(authors, author)
		}
	}
	if len(authors) < 3 || len(posts) < 5 {
		return fmt.Errorf("the feed of %d has %d posts: %w", viewer, len(posts), harness.ErrEmpty)
	}
	if _, err := on.Postgres.Exec(ctx,
		`INSERT INTO public.blocks (blocker_id, blocked_id) VALUES ($1, $2), ($3, $1) ON CONFLICT DO NOTHING`,
		int64(viewer), int64(authors[0]), int64(authors[1])); err != nil {
		return err
	}
	if _, err := on.Postgres.Exec(ctx,
		`INSERT INTO public.mutes (muter_id, muted_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
		int64(viewer), int64(authors[2])); err != nil {
		return err
	}
	if err := restrict(ctx, on, viewer, i, posts, by); err != nil {
		return err
	}
	hidden := posts[len(posts)-1]
	v.truth.hidden[viewer] = map[core.ID]bool{hidden: true}
	c := harness.NewClient(at)
	defer c.Close()
	hide := harness.Request{Method: http.MethodPost, Path: harness.EventsPath, Token: v.feeds[i].Token}
	hide.Body = fmt.Appendf(nil,
		`{"events":[{"event_id":"%s","action":"hide","post_id":"%d","author_id":"1","occurred_at":"%s"}]}`, uuid.New(),
		hidden, time.Now().UTC().Format(time.RFC3339))
	if failure := c.Do(&hide, nil); failure != "" {
		return fmt.Errorf("hide a post: %s", failure)
	}
	return nil
}

// deleteTrending deletes a few posts that many feeds would show.
func deleteTrending(ctx context.Context, on *harness.Environment, at string, v *viewers) error {
	_, body, err := harness.Fetch(ctx, "http://"+at+harness.FeedPath+"/trending?limit=10", v.feeds[0].Token)
	if err != nil {
		return err
	}
	posts := []int64{}
	for post := range maps.Keys(maps.Collect(itemsOf(body))) {
		v.truth.deleted[post], posts = true, append(posts, int64(post))
	}
	_, err = on.Postgres.Exec(ctx, `UPDATE public.posts SET deleted_at = now() WHERE id = ANY($1)`, posts)
	return err
}

// readBars reads who must not be shown to whom from the app's own tables.
func readBars(ctx context.Context, on *harness.Environment, t *oracle) error {
	rows, err := on.Postgres.Query(ctx, `SELECT blocker_id, blocked_id FROM public.blocks UNION ALL SELECT blocked_id, blocker_id FROM public.blocks
		UNION ALL SELECT muter_id, muted_id FROM public.mutes`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var viewer, author core.ID
		if err := rows.Scan((*int64)(&viewer), (*int64)(&author)); err != nil {
			return err
		}
		if t.barred[viewer] == nil {
			t.barred[viewer] = map[core.ID]bool{}
		}
		t.barred[viewer][author] = true
	}
	return rows.Err()
}

// sorted writes counts as name=n, the most first.
func sorted(of map[string]int64) string {
	var parts []string
	for _, key := range slices.SortedFunc(maps.Keys(of), func(a, b string) int { return int(of[b] - of[a]) }) {
		parts = append(parts, fmt.Sprintf("%s:%d", strings.ReplaceAll(key, " ", "_"), of[key]))
	}
	return strings.Join(parts, ",")
}
