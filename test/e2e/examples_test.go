package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/sql"
	"github.com/feedrank/feedrank/test/stack"
)

// keyedPage is a page whose keys are any text.
type keyedPage struct {
	Items []struct {
		Post   string `json:"post"`
		Author string `json:"author"`
	} `json:"items"`
	NextCursor string `json:"next_cursor"`
	ServedFrom string `json:"served_from"`
}

func (p *program) keyedFeed(user, query string) (out keyedPage) {
	p.t.Helper()
	key, err := core.ParseKey(user)
	require.NoError(p.t, err)
	token, err := auth.SignUser(p.cfg.Auth, key, false, time.Hour, time.Now())
	require.NoError(p.t, err)
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, p.url+"/api/v1/feed?"+query,
		http.NoBody)
	require.NoError(p.t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := p.client.Do(request)
	require.NoError(p.t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, response.Body.Close())
	require.Equal(p.t, http.StatusOK, response.StatusCode, string(text))
	require.NoError(p.t, json.Unmarshal(text, &out), string(text))
	return out
}

// walk is a timeline, page by page.
func (p *program) walk(user string) (keys []string) {
	p.t.Helper()
	cursor := ""
	for range 40 {
		now := p.keyedFeed(user, "algo=timeline&limit=5&cursor="+cursor)
		for _, item := range now.Items {
			keys = append(keys, item.Post)
		}
		if cursor = now.NextCursor; cursor == "" {
			break
		}
	}
	return keys
}

// TestExamplesShowWhatMayBeSeen fills the tables of apps, and compares feeds and timelines with what plain SQL says
// that each viewer may see: from ClickHouse, and with ClickHouse away by a process that knows nothing but what
// PostgreSQL says.
func TestExamplesShowWhatMayBeSeen(t *testing.T) {
	for _, e := range exampleApps {
		t.Run(e.name, func(t *testing.T) { e.shows(t) })
	}
}

// on fills a database with an app's tables, and is the configuration that goes with it.
func (e exampleApp) on(t *testing.T, s *stack.Stack) config.Config {
	t.Helper()
	const examples = "../../sql/postgres/example/"
	statements, err := os.ReadFile(filepath.Join(examples, e.name+".sql"))
	require.NoError(t, err)
	exec(t, s, `DROP TABLE users, posts, follows, comments, likes, blocks, mutes CASCADE`)
	for _, statement := range append([]string{string(statements)}, e.fill...) {
		exec(t, s, statement)
	}
	file, err := config.Load(config.Sources{File: examples + e.name + ".yaml", Set: []string{"roles=cdc-consumer"}})
	require.NoError(t, err)
	cfg := settings(t, s, "all")
	cfg.Keys, cfg.CDC.Tables = file.Keys, file.CDC.Tables
	return cfg
}

// key is that of the app's nth user.
func (e exampleApp) key(t *testing.T, s *stack.Stack, n int) (key string) {
	t.Helper()
	require.NoError(t, s.Postgres.QueryRow(t.Context(), `SELECT `+e.user+`($1)::text`, n).Scan(&key))
	return key
}

// TestFromADSNToTheFirstRightFeed does what a newcomer does with each app's database, but for reading, and says how long
// it took. The worked mapping has the answers to what init asks.
func TestFromADSNToTheFirstRightFeed(t *testing.T) {
	for _, one := range exampleApps {
		t.Run(one.name, func(t *testing.T) {
			s := stack.New(t)
			cfg := one.on(t, s)
			seen, _ := one.reference(t, s, one.key(t, s, 1))
			began := time.Now()
			var took []string
			done := func(step string) {
				took = append(took, fmt.Sprintf("%s=%.1fs", step, time.Since(began).Seconds()))
			}
			text, asks, err := app.Propose(t.Context(), s.PostgresConfig.DSN)
			require.NoError(t, err)
			file := filepath.Join(t.TempDir(), "feedrank.yaml")
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			proposed, err := config.Load(config.Sources{File: file})
			require.NoError(t, err, text)
			require.Equal(t, cfg.Keys, proposed.Keys)
			require.Equal(t, cfg.CDC.Tables.Post.Table, proposed.CDC.Tables.Post.Table)
			require.Equal(t, cfg.CDC.Tables.Follow.Table, proposed.CDC.Tables.Follow.Table)
			done("init")
			_, err = app.CheckConnected(t.Context(), cfg)
			require.NoError(t, err)
			_, err = app.CheckClickHouse(t.Context(), cfg.ClickHouse)
			require.NoError(t, err)
			done("check_config")
			p := start(t, cfg)
			done("migrate_and_start")
			p.eventually("the feed has what may be seen, and nothing else", func() bool {
				shown := postsOf(p.keyedFeed(one.key(t, s, 1), "limit=100"))
				return slices.Equal(slices.Sorted(slices.Values(shown)), seen)
			})
			done("first_right_feed")
			t.Logf("from the DSN to the first right feed: app=%s %s asks=%d", one.name, strings.Join(took, " "), len(asks))
		})
	}
}

func (e exampleApp) shows(t *testing.T) {
	s := stack.Own(t)
	cfg := e.on(t, s)
	p := start(t, cfg)

	var users []string
	for _, n := range []int{1, 11, 12} { // who follows some, who follows a private account, who follows nobody
		users = append(users, e.key(t, s, n))
	}
	look := func(p *program, why string, feeds bool) {
		t.Helper()
		for i, user := range users {
			seen, followed := e.reference(t, s, user)
			require.NotEmpty(t, seen)
			require.True(t, i == 2 || len(followed) > 0) // the third follows groups alone, where the app has them
			if feeds {
				p.eventually(why+": the feed has what may be seen, and nothing else", func() bool {
					return slices.Equal(slices.Sorted(slices.Values(postsOf(p.keyedFeed(user, "limit=100")))), seen)
				})
			} else {
				p.eventually(why+": the feed has nothing that may not be seen", func() bool {
					shown := postsOf(p.keyedFeed(user, "limit=100"))
					return len(shown) > 0 &&
						!slices.ContainsFunc(shown, func(key string) bool { return !slices.Contains(seen, key) })
				})
			}
			if e.narrow != "" {
				some, _ := e.narrowedTo().reference(t, s, user)
				require.NotEmpty(t, some)
				p.eventually(why+": a narrowed feed has what was asked for", func() bool {
					shown := slices.Sorted(slices.Values(postsOf(p.keyedFeed(user, "limit=100&"+e.narrow))))
					return slices.Equal(shown, some) || !feeds && len(shown) > 0 &&
						!slices.ContainsFunc(shown, func(key string) bool { return !slices.Contains(some, key) })
				})
			}
			if len(followed) > 0 {
				p.eventually(why+": the timeline has what they post whom the viewer follows, in order", func() bool {
					return slices.Equal(p.walk(user), followed)
				})
			}
		}
	}
	look(p, "at first", true)
	exec(t, s, e.hide)
	look(p, "an author is gone", true)
	exec(t, s, e.show)
	look(p, "and is back", true)

	require.NoError(t, s.Servers.ClickHouse.Kill())
	cfg.Roles = []string{"api"}
	fresh := running(t, cfg)
	for _, one := range []*program{p, fresh} {
		look(one, "ClickHouse away", false)
	}
	exec(t, s, e.hide)
	look(fresh, "ClickHouse away, an author is gone", false)
	exec(t, s, e.show)
	require.NoError(t, s.Servers.ClickHouse.Start(t.Context()))
	look(p, "ClickHouse is back", true)
}

func postsOf(p keyedPage) (keys []string) {
	for _, item := range p.Items {
		keys = append(keys, item.Post)
	}
	return keys
}

// narrowedTo is the app with those posts alone that a narrowed request asks for.
func (e exampleApp) narrowedTo() exampleApp {
	e.posts += " AND " + e.narrowed
	return e
}

// reference are the keys of the posts that a user may see, sorted, and of those of whom they follow the latest first.
func (e exampleApp) reference(t *testing.T, s *stack.Stack, user string) (seen, followed []string) {
	t.Helper()
	rows, err := s.Postgres.Query(t.Context(), `SELECT key, followed FROM (`+e.posts+`) AS posts ORDER BY at DESC, `+
		sql.KeyNumber("key")+` DESC`, user)
	require.NoError(t, err)
	var key string
	var follows bool
	_, err = pgx.ForEachRow(rows, []any{&key, &follows}, func() error {
		seen = append(seen, key)
		if follows {
			followed = append(followed, key)
		}
		return nil
	})
	require.NoError(t, err)
	slices.Sort(seen)
	return seen, followed
}
