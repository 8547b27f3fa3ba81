package e2e

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/test/stack"
)

// TestEveryKeyInRedisIsDocumentedAndExpires lets a program live a little, and looks at each key that it leaves: what it
// begins with is in config/personal-data.md, and it has an end unless that says "for good".
func TestEveryKeyInRedisIsDocumentedAndExpires(t *testing.T) {
	document, err := os.ReadFile("../../config/personal-data.md")
	require.NoError(t, err)
	_, rows, found := strings.Cut(string(document), "## Redis")
	require.True(t, found)
	rows, _, _ = strings.Cut(rows, "## Kafka")
	forGood := map[string]bool{} // by what keys begin with
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]+) \\|[^|]*\\| (.+) \\|$").FindAllStringSubmatch(rows, -1) {
		for _, key := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			forGood[key[1]] = strings.Contains(row[2], "for good") || strings.Contains(row[2], "until released")
		}
	}

	s := stack.New(t)
	cfg := settings(t, s, "all")
	cfg.RateLimit.UserPerMinute = 100_000
	cfg.Warm.Every, cfg.Suggest.Fresh = 10*time.Second, time.Second
	p := start(t, cfg)
	world(t, s)
	exec(t, s, `INSERT INTO follows (follower_id, followee_id) VALUES (2, 15), (3, 15), (3, 16)`)
	p.eventually("the posts reach the feed", func() bool {
		_, now := p.feed(viewer, "limit=10")
		return len(now.Items) == 10 && p.suggested(viewer).has(15)
	})
	_, first := p.feed(viewer, "limit=10")
	hidden := first.Items[0]
	p.act(viewer, "view", first.Items[1].Post, first.Items[1].Author)
	p.act(viewer, "hide", hidden.Post, hidden.Author)
	status, _ := p.call("POST", "/api/v1/discover/suggested-users/16/dismiss", viewer, "")
	require.Equal(t, 204, status)
	exec(t, s, `INSERT INTO follows (follower_id, followee_id) VALUES (1, 15)`)
	exec(t, s, `INSERT INTO blocks (blocker_id, blocked_id) VALUES (1, 19)`)
	exec(t, s, `DELETE FROM users WHERE id = 20`)
	_, _ = p.feed(viewer, "limit=10")
	conn, err := stack.Redis(t, s.RedisConfig).Conn()
	require.NoError(t, err)
	met := map[string]bool{}
	want := []string{
		"feed:v1:", "seen:v1:", "hidden:v1:", "suggest:users:", "suggest:dismissed:", "replicas:v1", "hot:posts:",
	}
	p.eventually("the keys are there", func() bool {
		err := redis.Scan(t.Context(), conn, "*", func(node rueidis.Client, keys []string) error {
			for _, key := range keys {
				known := slices.DeleteFunc(documented(forGood), func(begins string) bool {
					return !strings.HasPrefix(key, begins)
				})
				require.NotEmpty(t, known, "key %s: say in config/personal-data.md what it holds, and for how long", key)
				met[known[0]] = true
				left, err := node.Do(t.Context(), node.B().Pttl().Key(key).Build()).AsInt64()
				require.NoError(t, err)
				require.False(t, left == -1 && !forGood[known[0]], "key %s has no end", key)
			}
			return nil
		})
		require.NoError(t, err)
		return !slices.ContainsFunc(want, func(begins string) bool { return !met[begins] })
	})
	t.Log("met", met)
}

func documented(rows map[string]bool) (begin []string) {
	for key := range rows {
		begin = append(begin, key)
	}
	return begin
}
