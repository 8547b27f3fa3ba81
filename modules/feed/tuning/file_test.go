package tuning_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/feed/rank"
	"github.com/feedrank/feedrank/modules/feed/tuning"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestAFileThatChangesIsPutInForceOnceInEveryReplica(t *testing.T) {
	s := stack.New(t)
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "ranking.json")
	write := func(freshness float64) {
		text, err := json.Marshal(weights(freshness))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path+".new", text, 0o600))
		require.NoError(t, os.Rename(path+".new", path))
	}
	read := func() (cfg rank.Config, err error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return cfg, err
		}
		return cfg, json.Unmarshal(text, &cfg)
	}
	write(0.3)
	one, live1 := replica(s)
	two, live2 := replica(s)
	for _, tuner := range []*tuning.Tuner{one, two} {
		tuner.Follow(tuning.File{Path: path, Read: read})
		require.NoError(t, tuner.Start(ctx))
		t.Cleanup(func() { require.NoError(t, tuner.Stop(ctx)) })
	}
	both := func(version uint64, freshness float64) {
		t.Helper()
		wait.Until(t, func() bool {
			a, b := live1.Get(), live2.Get()
			return a.Version == version && b.Version == version && a.Weights.Freshness == freshness &&
				b.Weights.Freshness == freshness
		})
	}
	wait.Until(t, func() bool { // until a change is sure to be noticed as one
		write(0.55)
		return live1.Get().Version > 0
	})
	both(1, 0.55)

	_, err := one.Change(ctx, tuning.Change{Over: 1, To: weights(0.7), By: "user 1"})
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	both(2, 0.7) // the file says nothing new
	write(99999)
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	both(2, 0.7) // nor anything that is possible
	write(0.2)
	began := time.Now()
	both(3, 0.2)
	t.Logf("both replicas followed after %s", time.Since(began).Round(time.Millisecond))
	past, err := one.History(ctx, 10)
	require.NoError(t, err)
	require.Len(t, past, 3)
	require.Equal(t, "file", past[0].ChangedBy)
}
