package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/sql"
)

// toy answers like the API, straight from PostgreSQL, with faults that the tour must notice. It also
// stands for the server that is killed.
type toy struct {
	db *pgxpool.Pool

	mu    sync.Mutex
	down  bool
	likes map[string]int64
	seen  map[string]int64
	kept  map[string]int64 // likes that came while it was down
	sinks core.ID          // posts from this on leave the page when people have seen them; zero: none does

	// The faults.
	empty, own, blocked, deleted, twice, forgetsLikes, failsWhenDown, losesWhenDown, wrongSum bool
}

const toyQuery = `
SELECT p.id, p.author_id, p.created_at
FROM posts p JOIN follows f ON f.followee_id = p.author_id AND f.follower_id = $1
WHERE (p.deleted_at IS NULL OR $2) AND p.status = 'published'
  AND ($3 OR NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = $1 AND b.blocked_id = p.author_id))
ORDER BY p.id DESC LIMIT 100`

func (s *toy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/v1/events" {
		s.take(w, r)
		return
	}
	s.mu.Lock()
	down := s.down
	s.mu.Unlock()
	if down && s.failsWhenDown {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"code":"unavailable","detail":"not now"}`))
		return
	}
	user, err := core.ParseID(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer of-"))
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	items, err := s.items(r.Context(), user)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	from := servedClickHouse
	if down {
		from = "postgres"
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"items": items, "served_from": from, "degraded": down})
}

func (s *toy) items(ctx context.Context, user core.ID) ([]map[string]any, error) {
	rows, err := s.db.Query(ctx, toyQuery, int64(user), s.deleted, s.blocked)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	items := []map[string]any{}
	if s.empty {
		return items, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for rows.Next() {
		var post, author core.ID
		var at time.Time
		if err := rows.Scan(&post, &author, &at); err != nil {
			return nil, err
		}
		if s.sinks > 0 && post >= s.sinks && s.seen[post.String()] >= audience {
			continue
		}
		likes := s.likes[post.String()]
		engagement := math.Log1p(float64(likes+1) / 20)
		score := 0.3 + 0.4*engagement
		if s.wrongSum {
			score++
		}
		items = append(items, map[string]any{
			"post": post, "author": author, "created_at": at, "score": score, "source": sourceFollowees,
			"explain": map[string]any{
				"freshness": 1, "engagement": engagement, "affinity": 0,
				"weights": map[string]any{"freshness": 0.3, "engagement": 0.4, "affinity": 0.3},
				"inputs":  map[string]any{"likes": likes, "exposures": likes + 1 + s.seen[post.String()]},
			},
		})
		if s.twice {
			items = append(items, items[0])
		}
	}
	if s.own {
		items = append(items, map[string]any{
			"post": "1", "author": user, "source": sourceFollowees,
			"explain": map[string]any{},
		})
	}
	return items, rows.Err()
}

func (s *toy) take(w http.ResponseWriter, r *http.Request) {
	var batch struct {
		Events []struct {
			Post   string `json:"post"`
			Action string `json:"action"`
		} `json:"events"`
	}
	if err := json.NewDecoder(r.Body).Decode(&batch); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range batch.Events {
		switch {
		case e.Action == "impression":
			s.seen[e.Post]++
		case e.Action != "like":
			w.WriteHeader(http.StatusBadRequest)
			return
		case s.down && !s.losesWhenDown:
			s.kept[e.Post]++
		case !s.down && !s.forgetsLikes:
			s.likes[e.Post]++
		}
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]any{"accepted": len(batch.Events), "rejected": []string{}})
}

// Kill and Restart make it a server that the tour may kill.
func (s *toy) Kill(string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
	return nil
}

func (s *toy) Restart(context.Context, string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = false
	for post, n := range s.kept {
		s.likes[post] += n
	}
	return nil
}

// world is a database in which users 1 to 6 follow 25 authors each.
func toyWorld(t *testing.T) *pgxpool.Pool {
	t.Helper()
	db, err := pgxpool.New(t.Context(), embeddedtest.NewDatabase(t))
	require.NoError(t, err)
	t.Cleanup(db.Close)
	for _, statement := range []string{
		sql.ExampleSchema(),
		"INSERT INTO users (name) SELECT 'user-' || i FROM generate_series(1, 60) i",
		"INSERT INTO follows (follower_id, followee_id) SELECT f, a FROM generate_series(1, 6) f, generate_series(10, 34) a",
		"INSERT INTO posts (author_id, body) SELECT 1 + i % 40, 'post' FROM generate_series(1, 200) i",
		"INSERT INTO likes (user_id, post_id) SELECT u, p FROM generate_series(1, 6) u, generate_series(1, 20 - u) p",
		"UPDATE posts SET deleted_at = now() WHERE id % 20 = 15",
		"INSERT INTO blocks (blocker_id, blocked_id) SELECT u, 20 FROM generate_series(1, 6) u",
	} {
		_, err := db.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	return db
}

func toyDeps(t *testing.T, fault func(*toy)) Deps {
	t.Helper()
	s := &toy{db: toyWorld(t), likes: map[string]int64{}, seen: map[string]int64{}, kept: map[string]int64{}}
	if fault != nil {
		fault(s)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	client := server.Client()
	t.Cleanup(client.CloseIdleConnections)
	return Deps{
		BaseURL: server.URL, HTTP: client, Postgres: s.db, Servers: s,
		Token: func(user core.ID) (string, error) { return fmt.Sprintf("of-%s", user), nil },
		Admin: func() (string, error) { return "of-an-operator", nil },
	}
}
