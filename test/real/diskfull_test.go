//go:build real

package real_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

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
	*live
	stack                                  *servers.Stack
	redis                                  servers.Server
	clickhouse, redisDisk, kafka, postgres disk
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

	settings := s.stack.Configs
	settings.RedisConfig.Addrs = []string{s.redis.Addr()}
	s.live = start(t, settings, nil)
	return s
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
