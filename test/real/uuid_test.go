//go:build real

package real_test

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/wait"
)

// uuidWorld is an app whose keys are UUIDs. Viewers 1 and 101 to 140 follow 2, 3, who has a private account, and 4, who
// is banned; 5 blocks them, they mute 6.
var uuidWorld = []string{
	`CREATE FUNCTION u(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT (lpad(to_hex(n * 7919), 8, '0') || '-5a1e-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$`,
	`CREATE FUNCTION viewers() RETURNS SETOF int LANGUAGE sql AS $$ SELECT 1 UNION ALL SELECT generate_series(101, 140) $$`,
	`INSERT INTO auth.users (id) SELECT u(i) FROM generate_series(1, 140) i`,
	`INSERT INTO profiles (id, username, is_private, banned_at) SELECT u(i), 'u' || i, i = 3, CASE WHEN i = 4 THEN now() END FROM generate_series(1, 140) i`,
	`INSERT INTO follows (follower_id, following_id) SELECT u(v), u(i) FROM viewers() v, generate_series(2, 4) i`,
	`INSERT INTO blocks (blocker_id, blocked_id) SELECT u(5), u(v) FROM viewers() v`,
	`INSERT INTO mutes (muter_id, muted_id) SELECT u(v), u(6) FROM viewers() v`,
	`INSERT INTO posts (id, author_id, content, visibility, created_at)
		SELECT u(1000 + i), u(2 + i % 5), 'p', 'public', now() - i * interval '1 minute' FROM generate_series(1, 40) i`,
}

// keyed asks a running program as users with any key.
type keyed struct{ *asker }

func (k keyed) call(method, path, user, body string) (int, []byte) {
	k.t.Helper()
	key, err := core.ParseKey(user)
	require.NoError(k.t, err)
	return k.callAs(method, path, key, body)
}

func (k keyed) posts(user string) (posts []string) {
	k.t.Helper()
	status, body := k.call(http.MethodGet, "/api/v1/feed?limit=100", user, "")
	require.Equal(k.t, http.StatusOK, status, string(body))
	var page struct{ Items []struct{ Post string } }
	require.NoError(k.t, json.Unmarshal(body, &page))
	for _, item := range page.Items {
		posts = append(posts, item.Post)
	}
	slices.Sort(posts)
	return posts
}

func TestAnAppOfUUIDsIsServedFromWhatDebeziumSends(t *testing.T) {
	const example = "../../sql/postgres/example/supabase_like"
	schema, err := os.ReadFile(example + ".sql")
	require.NoError(t, err)
	s := newScene(t, append([]string{
		`DROP TABLE users, posts, follows, comments, likes, blocks, mutes CASCADE`, string(schema),
	}, uuidWorld...)...)
	mapping, err := config.Load(config.Sources{File: example + ".yaml", Set: []string{"roles=cdc-consumer"}})
	require.NoError(t, err)
	cfg := settings(s.configs)
	cfg.Roles = []string{"api", "events-consumer", "cdc-consumer", "jobs"} // Debezium is the source
	cfg.Keys, cfg.CDC.Tables = mapping.Keys, mapping.CDC.Tables
	cfg = migrated(t, cfg.WithKeyForms())
	var mapped []string
	for _, table := range []string{
		"profiles", "posts", "follows", "comments", "likes", "blocks", "mutes", "group_members", "hidden_posts",
	} {
		mapped = append(mapped, "public."+table)
	}
	s.connect(servers.ConnectorConfig{Tables: mapped, Partitions: 4})
	k := keyed{run(t, cfg)}

	text := func(query string, args ...any) (all []string) {
		rows, _ := s.db.Query(t.Context(), query, args...)
		all, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		slices.Sort(all)
		return all
	}
	of := func(authors ...int) []string {
		return text(`SELECT id::text FROM posts WHERE author_id = ANY (SELECT u(a) FROM unnest($1::int[]) a)`, authors)
	}
	viewer := text(`SELECT u(1)::text`)[0]
	shows := func(why string, want []string) {
		wait.Until(t, func() bool { return slices.Equal(want, k.posts(viewer)) }, "%s", why)
	}
	shows("what viewer 1 may see is there, and nothing else", of(2, 3))

	hidden := of(2)[0]
	status, body := k.call(http.MethodPost, "/api/v1/events", viewer, `{"events":[{"event_id":"`+uuid.NewString()+
		`","action":"hide","post":"`+hidden+`","author":"`+text(`SELECT u(2)::text`)[0]+`","occurred_at":"`+
		time.Now().UTC().Format(time.RFC3339)+`"}]}`)
	require.Equal(t, http.StatusAccepted, status, string(body))
	rest := slices.DeleteFunc(of(2, 3), func(post string) bool { return post == hidden })
	shows("a hidden post goes", rest)
	s.exec(`UPDATE profiles SET banned_at = now() WHERE id = u(3)`)
	shows("a banned author goes", slices.DeleteFunc(of(2), func(post string) bool { return post == hidden }))
	s.exec(`UPDATE profiles SET banned_at = NULL WHERE id IN (u(3), u(4))`)
	shows("authors come back", slices.DeleteFunc(of(2, 3, 4), func(post string) bool { return post == hidden }))

	require.NoError(t, s.ClickHouse.Kill())
	for n := 101; n <= 110; n++ { // nothing of them is cached
		posts := k.posts(text(`SELECT u($1)::text`, n)[0])
		require.NotEmpty(t, posts)
		require.Subset(t, of(2, 3, 4), posts, "from PostgreSQL")
	}
	require.NoError(t, s.ClickHouse.Start(t.Context()))
	viewer = text(`SELECT u(120)::text`)[0]
	shows("well again", of(2, 3, 4))
	_, body = k.call(http.MethodGet, "/metrics", viewer, "")
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "feedrank_cdc_dead_letters_total") {
			require.True(t, strings.HasSuffix(strings.TrimSpace(line), " 0"), line)
		}
	}
}
