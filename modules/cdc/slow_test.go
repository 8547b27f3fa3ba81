package cdc_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/resync"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/tables"
	"github.com/feedrank/feedrank/test/wait"
)

// blocked does not let go of follows until it is told.
type blocked struct {
	*changes
	inside chan struct{} // has a token once a batch of follows waits
	free   chan struct{}
}

func (b *blocked) Changed(ctx context.Context, more []core.Change) error {
	for _, c := range more {
		if c.Kind != core.Followed {
			continue
		}
		select {
		case b.inside <- struct{}{}:
		default:
		}
		select {
		case <-b.free:
		case <-ctx.Done():
		}
		break
	}
	return b.changes.Changed(ctx, more)
}

func TestASlowTableDoesNotHoldUpTheOthers(t *testing.T) {
	c := newChain(t)
	c.cfg.Consumer.BatchRows, c.cfg.Consumer.QueueBytes = 100, 64<<10
	slow := &blocked{changes: c.changes, inside: make(chan struct{}, 1), free: make(chan struct{})}
	c.observer = slow
	c.exec(`INSERT INTO users (id, name) SELECT i, 'u' FROM generate_series(1, 300) i`)
	c.start()
	c.requireEqual()
	c.exec(`INSERT INTO follows (follower_id, followee_id) VALUES (1, 2)`)
	select {
	case <-slow.inside:
	case <-time.After(patience):
		t.Fatal("no follow arrived")
	}
	c.exec( // more than the queues of the partitions hold, then a post
		`INSERT INTO follows (follower_id, followee_id) SELECT a, b FROM generate_series(3, 200) a, generate_series(201, 300) b`,
		`INSERT INTO posts (id, author_id, body) VALUES (77, 1, 'in time')`,
	)
	// Sarama gives a partition up after a minute, so within less than that it is the queue that helps.
	wait.Until(t, func() bool { return c.changes.has(core.Change{Kind: core.PostPut, Post: core.Post{ID: 77}}) },
		"the posts wait for the follows")
	require.Positive(t, c.metric("feedrank_cdc_pauses_total"))
	before := c.metric("feedrank_cdc_lag_seconds")
	wait.Until(t, func() bool { return c.metric("feedrank_cdc_lag_seconds") > before+1 },
		"the lag stands still while nothing is applied")
	close(slow.free)
	c.requireEqual()
	wait.Until(t, func() bool {
		return c.metric("feedrank_cdc_lag_seconds") == 0 && c.metric("feedrank_cdc_lag_records") == 0
	})
}

// metric adds up a counter or a gauge of the consumer.
func (c *chain) metric(name string) (total float64) {
	c.t.Helper()
	families, err := c.reg.Gather()
	require.NoError(c.t, err)
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return total
}

func TestWhatIsOnItsWayIsNoDifference(t *testing.T) {
	c := newChain(t)
	c.exec(world(60))
	c.start()
	c.requireEqual()
	c.stopConsumer()
	for i := range 20 {
		c.exec(fmt.Sprintf(`UPDATE posts SET body = 'edition %d', created_at = created_at - interval '1 minute' WHERE id %% 2 = 0`, i), fmt.Sprintf(`DELETE FROM likes WHERE user_id = %d`, 2+i))
	}
	r := c.resync()
	_, err := r.Run(t.Context(), resync.Options{Table: "public.posts", Drain: time.Millisecond})
	require.ErrorIs(t, err, resync.ErrBehind)

	type result struct {
		found []resync.Comparison
		err   error
	}
	done := make(chan result, 1)
	go func() {
		found, err := r.Run(t.Context(), resync.Options{Drain: patience})
		done <- result{found, err}
	}()
	c.startConsumer()
	got := <-done
	require.NoError(t, got.err)
	for _, comparison := range got.found {
		require.True(t, comparison.Equal(), "%+v", comparison)
	}
	diff, _, err := tables.Differences(t.Context(), c.Postgres, c.ClickHouse)
	require.NoError(t, err)
	require.Empty(t, diff)
}

func TestNothingIsComparedBeforeTheTablesWereRead(t *testing.T) {
	c := newChain(t)
	c.exec(world(20))
	c.makeTopics()
	r := c.resync()
	ready, err := r.Ready(t.Context())
	require.NoError(t, err)
	require.False(t, ready, "no connector has written yet")
	c.startSource()
	c.startConsumer()
	wait.Until(t, func() bool {
		ready, err := r.Ready(t.Context())
		return err == nil && ready
	})
}
