//go:build real

package real_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/wait"
)

// disk is a small file system of a server's own.
type disk struct {
	t    *testing.T
	path string
}

// newDisk mounts one over a folder. Only root may.
func newDisk(t *testing.T, path string, megabytes int) disk {
	t.Helper()
	require.NoError(t, os.MkdirAll(path, 0o711))
	err := syscall.Mount("tmpfs", path, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0711", megabytes))
	require.NoError(t, err, "disks that get full are mounted, which takes root: run `make real` as root")
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(path, syscall.MNT_DETACH)) })
	return disk{t, path}
}

func (d disk) ballast() string { return filepath.Join(d.path, "ballast") }

// fill leaves no byte.
func (d disk) fill() {
	d.t.Helper()
	file, err := os.OpenFile(d.ballast(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(d.t, err)
	block := make([]byte, 1<<20)
	for size := len(block); size > 0; {
		if _, err := file.Write(block[:size]); err != nil {
			require.ErrorIs(d.t, err, syscall.ENOSPC)
			size /= 2
		}
	}
	require.NoError(d.t, file.Close())
}

// free is what an operator does.
func (d disk) free() {
	d.t.Helper()
	require.NoError(d.t, os.Remove(d.ballast()))
}

// small is a whole program on servers whose disks are small.
type small struct {
	*asker
	stack                                  *servers.Stack
	redis                                  servers.Server
	clickhouse, redisDisk, kafka, postgres disk

	db       *clickhouse.Client
	accepted []string // events that were answered with 202
	posts    int      // that the app has committed beside those of the world
}

func onSmallDisks(t *testing.T) *small {
	t.Helper()
	dir, err := os.MkdirTemp("", "feedrank-small-") // another user must reach it
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	s := &small{
		clickhouse: newDisk(t, filepath.Join(dir, "engine"), 256), kafka: newDisk(t, filepath.Join(dir, "kafka"), 256),
		postgres:  newDisk(t, filepath.Join(dir, "postgres"), 256),
		redisDisk: newDisk(t, filepath.Join(dir, "redis-everysec"), 16),
	}
	s.stack, err = servers.Start(t.Context(), servers.Options{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.stack.Stop(context.WithoutCancel(t.Context()))) })
	// The stack's own syncs each write, and ends on a full disk; this one is as Redis recommends.
	s.redis, err = servers.NewRedis(t.Context(), s.redisDisk.path, "--appendonly", "yes", "--appendfsync", "everysec")
	require.NoError(t, err)
	require.NoError(t, s.redis.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.redis.Stop(context.WithoutCancel(t.Context()))) })

	cfg := config.Default()
	cfg.HTTP.Addr, cfg.HTTP.AdminAddr, cfg.Auth.HS256Secret = "127.0.0.1:0", "", strings.Repeat("s", 32)
	cfg.ClickHouse, cfg.Postgres, cfg.Kafka, cfg.Redis = s.stack.ClickHouseConfig, s.stack.PostgresConfig,
		s.stack.KafkaConfig, s.stack.RedisConfig
	cfg.Redis.Addrs = []string{s.redis.Addr()}
	cfg.Kafka.ReplicationFactor = 1
	cfg.RateLimit.UserPerMinute, cfg.RateLimit.AddressPerMinute = 0, 0
	cfg.Roles = []string{string(app.All)}
	s.commit(t, feedWorld)
	_, err = app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	program, err := app.Start(t.Context(), cfg, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, program.Stop()) })
	s.asker = &asker{
		t: t, cfg: cfg, url: "http://" + program.Addr(),
		client: &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}, next: 200,
	}
	t.Cleanup(s.client.CloseIdleConnections)
	s.db = clickhouse.New(cfg.ClickHouse, prometheus.NewRegistry())
	t.Cleanup(s.db.Close)
	wait.Until(t, func() bool { return s.page() > 0 }, "a feed has posts")
	return s
}

// commit writes to the app's database, as the app does.
func (s *small) commit(t *testing.T, statement string) {
	t.Helper()
	require.NoError(t, s.try(t.Context(), statement))
}

func (s *small) try(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.stack.PostgresConfig.DSN)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // its server may have ended
	_, err = conn.Exec(ctx, statement)
	return err
}

// page is how many posts the feed of somebody new has, which is computed: every answer must be 200.
func (s *small) page() int {
	s.t.Helper()
	s.next++
	status, body := s.call(http.MethodGet, "/api/v1/feed?limit=20", 101+s.next%300, "")
	require.Equal(s.t, http.StatusOK, status, string(body))
	var page feedPage
	require.NoError(s.t, json.Unmarshal(body, &page))
	return len(page.Items)
}

// act sends an event, and keeps it if it was accepted.
func (s *small) act() (status int) {
	s.t.Helper()
	s.next++
	id := uuid.NewString()
	status, body := s.call(http.MethodPost, "/api/v1/events", 101+s.next%300, fmt.Sprintf(
		`{"events":[{"event_id":%q,"action":"view","post":"%d","author":"1","occurred_at":%q}]}`, id, 20+s.next%90,
		time.Now().UTC().Format(time.RFC3339Nano)))
	if status == http.StatusAccepted {
		require.Contains(s.t, string(body), `"accepted":1`)
		s.accepted = append(s.accepted, id)
	}
	return status
}

// whole waits until every event that was accepted has its row, and holds that it has one.
func (s *small) whole() {
	s.t.Helper()
	want := fmt.Sprint(len(s.accepted))
	wait.Until(s.t, func() bool {
		return count(s.t, s.db, "SELECT toString(uniqExact(event_id)) FROM events WHERE event_id IN ("+quoted(s.accepted)+")") == want
	}, "%s accepted events are applied", want)
	require.Equal(s.t, count(s.t, s.db, "SELECT toString(uniqExact(event_id)) FROM events"),
		count(s.t, s.db, "SELECT toString(count()) FROM events"), "once each")
	require.Equal(s.t, "0", count(s.t, s.db, "SELECT toString(sum(dead_letters)) FROM event_ranges"))
}

func quoted(ids []string) string { return "'" + strings.Join(ids, "','") + "'" }

// copied waits until the app's posts are all in ClickHouse.
func (s *small) copied() {
	s.t.Helper()
	wait.Until(s.t, func() bool {
		return count(s.t, s.db, "SELECT toString(count()) FROM posts FINAL WHERE id > 1000") == fmt.Sprint(s.posts)
	}, "%d committed posts are copied", s.posts)
}

func (s *small) post() {
	s.t.Helper()
	s.posts++
	s.commit(s.t, fmt.Sprintf("INSERT INTO posts (id, author_id) VALUES (%d, 3)", 1000+s.posts))
}

func TestAFullDiskLosesNothingThatWasAcknowledged(t *testing.T) {
	s := onSmallDisks(t)
	for range 20 {
		require.Equal(t, http.StatusAccepted, s.act())
	}
	s.whole()

	t.Run("ClickHouse", func(t *testing.T) {
		applied := count(t, s.db, "SELECT toString(count()) FROM events")
		s.clickhouse.fill()
		for range 50 {
			require.Equal(t, http.StatusAccepted, s.act(), "Kafka has it")
			require.Positive(t, s.page(), "reads go on")
		}
		s.post()
		require.Equal(t, applied, count(t, s.db, "SELECT toString(count()) FROM events"), "nothing can be written")
		s.clickhouse.free()
		s.whole()
		s.copied()
	})
	t.Run("Redis", func(t *testing.T) {
		require.Equal(t, http.StatusNoContent, s.dismiss(301))
		s.redisDisk.fill()
		wait.Until(t, func() bool { return s.dismiss(302) == http.StatusServiceUnavailable }, "it refuses writes")
		for range 20 {
			require.Positive(t, s.page(), "feeds are computed where they cannot be cached")
			require.Equal(t, http.StatusAccepted, s.act())
		}
		s.says("redis")
		s.redisDisk.free()
		wait.Until(t, func() bool { return s.dismiss(303) == http.StatusNoContent }, "it takes writes again by itself")
		s.whole()
	})
	t.Run("Kafka", func(t *testing.T) {
		s.kafka.fill()
		wait.Until(t, func() bool { return s.act() == http.StatusServiceUnavailable }, "it takes no more")
		require.Positive(t, s.page())
		s.post()
		wait.Until(t, func() bool { return s.stack.Kafka.PID() == 0 }, "a broker without a disk ends")
		s.says("kafka")
		s.kafka.free()
		require.NoError(t, s.stack.Kafka.Start(t.Context()))
		wait.Until(t, func() bool { return s.act() == http.StatusAccepted })
		s.whole()
		s.copied()
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		s.postgres.fill()
		wait.Until(t, func() bool {
			return s.try(t.Context(), `INSERT INTO comments (post_id, author_id, body)
				SELECT 20, 3, repeat(md5(n::text), 100) FROM generate_series(1, 3000) n`) != nil
		}, "commits are refused")
		for range 20 {
			require.Positive(t, s.page())
			require.Equal(t, http.StatusAccepted, s.act())
		}
		s.postgres.free()
		require.NoError(t, s.stack.Postgres.Start(t.Context()), "where it has ended")
		s.post()
		s.copied()
		s.whole()
	})
}

// dismiss wants a suggestion gone: Redis alone keeps that.
func (s *small) dismiss(user int) int {
	s.t.Helper()
	status, _ := s.call(http.MethodPost, fmt.Sprintf("/api/v1/discover/suggested-users/%d/dismiss", user), 150, "")
	return status
}

// says waits until /readyz says that a dependency is not well.
func (s *small) says(check string) {
	s.t.Helper()
	wait.Until(s.t, func() bool {
		_, body := s.call(http.MethodGet, "/readyz", 1, "")
		return strings.Contains(string(body), fmt.Sprintf("%q:\"failing\"", check))
	}, "%s is failing", check)
}
