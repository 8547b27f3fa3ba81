package e2e

import (
	"context"
	"math"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/stack"
)

// TestVotesCountAsTheAppsTableHasThem votes on the posts of an app in the manner of Lemmy, changes votes and takes them
// back, and compares what a feed says of each post with plain SQL.
func TestVotesCountAsTheAppsTableHasThem(t *testing.T) {
	s := stack.New(t)
	var app exampleApp
	for _, one := range exampleApps {
		if one.name == "lemmy_like" {
			app = one
		}
	}
	cfg := app.on(t, s)
	cfg.Engagement.Likes = "cdc"
	cfg.Ranking.Engagement.MaxRate = 0 // else votes on what nobody saw do not count
	exec(t, s, `INSERT INTO post_like (person_id, post_id, score)
		SELECT person, 1000 + i, CASE (person * i) % 3 WHEN 0 THEN -1 ELSE 1 END
		FROM generate_series(2, 12) person, generate_series(1, 80) i WHERE (person + i) % 4 = 0`)
	p := start(t, cfg)
	counted := func() bool { return sameVotes(p, s, cfg.Ranking.Engagement.PriorExposures) }
	p.eventually("what was there is counted", counted)
	exec(t, s, `UPDATE post_like SET score = -score WHERE post_id % 5 = 0`)
	p.eventually("a vote is what it says now", counted)
	exec(t, s, `DELETE FROM post_like WHERE post_id % 7 = 0`)
	exec(t, s, `UPDATE post_like SET score = 0 WHERE post_id % 11 = 0`)
	p.eventually("or none", counted)
}

// sameVotes tells whether a feed says of each of its posts what plain SQL says of its votes. Nobody saw the posts.
func sameVotes(p *program, s *stack.Stack, prior float64) bool {
	type votes struct{ up, down int }
	want := map[core.ID]votes{}
	rows, err := s.Postgres.Query(context.Background(), `SELECT post_id, count(*) FILTER (WHERE score > 0),
		count(*) FILTER (WHERE score < 0) FROM post_like GROUP BY post_id`)
	require.NoError(p.t, err)
	var post int64
	var one votes
	_, err = pgx.ForEachRow(rows, []any{&post, &one.up, &one.down}, func() error {
		want[core.ID(post)] = one
		return nil
	})
	require.NoError(p.t, err)
	_, shown := p.feed(1, "limit=100&explain=true")
	down := 0
	for _, item := range shown.Items {
		in := item.Explain.Inputs
		if (votes{in.Likes, in.Dislikes}) != want[item.Post] {
			return false
		}
		down += in.Dislikes
		// what modules/feed/rank says, in other words
		e, up, against := item.Explain, math.Log((float64(in.Likes)+1)/prior+1), math.Log(float64(in.Dislikes)/prior+1)
		require.InDelta(p.t, up, e.Engagement, 1e-5)
		require.InDelta(p.t, -against, e.Disliked, 1e-5)
		require.InDelta(p.t, 0.3*e.Freshness+0.4*(up-against)+0.3*e.Affinity, item.Score, 1e-5)
	}
	return down > 0
}
