package reads

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
)

// wantedStreams are how many should fit into a replica.
const wantedStreams = 50_000

// filesBeside are open besides streams: connections to servers, logs.
const filesBeside = 1000

// Updates is what open streams of updates cost a replica that is idle, and how soon they are told of a post. As many
// are opened as a process may have files; what 50,000 take is worked out from that where it is fewer.
func Updates() harness.Bench {
	return harness.Bench{
		Name: "updates", Says: "open streams of updates: memory and CPU of each while idle, from a commit to the event",
		Run: func(ctx context.Context, on *harness.Environment) error {
			var files unix.Rlimit
			if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
				return err
			}
			streams := min(wantedStreams, int(min(files.Max, 1<<20))-filesBeside)
			viewers := min(2000, on.World.Users)
			if _, err := on.Serve(ctx, "changes", "cdc-source,cdc-consumer"); err != nil {
				return err
			}
			program, err := on.Serve(ctx, "program", "api", fmt.Sprint("feed.updates.max_streams=", streams),
				fmt.Sprint("feed.updates.max_streams_per_user=", 1+streams/viewers), "feed.updates.max_age=12h",
				fmt.Sprint("http.max_connections=", 2*streams), "rate_limit.user_per_minute=0",
				"rate_limit.address_per_minute=0")
			if err != nil {
				return err
			}
			requests, err := on.Viewers(harness.FeedPath, 0, viewers)
			if err != nil {
				return err
			}
			if err := on.Each(ctx, program.Addr, 4, requests); err != nil {
				return err
			}
			without, err := on.Idle(ctx, "no stream", on.Lasting(30*time.Second))
			if err != nil {
				return err
			}
			began := time.Now()
			open, err := openStreams(ctx, program.Addr, requests, streams)
			if err != nil {
				return err
			}
			on.OnEnd(open.close)
			opening := time.Since(began)
			with, err := on.Idle(ctx, harness.Short(float64(streams))+" idle streams", on.Lasting(90*time.Second))
			if err != nil {
				return err
			}
			told, followers, err := toldOfAPost(ctx, on, open, viewers)
			if err != nil {
				return err
			}
			before, after := without.Usage["program"], with.Usage["program"]
			each := float64(after.MemoryBytes-before.MemoryBytes) / float64(streams)
			on.Figure("an idle stream, resident", "KB", harness.None, 20, each/1e3)
			on.Figure("50,000 idle streams, resident with all else", "MB", harness.None, 1000,
				(float64(before.MemoryBytes)+wantedStreams*each)/1e6)
			on.Note("  streams that were open", "", float64(streams))
			on.Note("  resident before", "MB", float64(before.MemoryBytes)/1e6)
			on.Note("  opened", "streams/s", float64(streams)/opening.Seconds())
			on.Figure("10,000 idle streams", "% of a core", harness.None, 5,
				100*(after.Cores-before.Cores)*10_000/float64(streams))
			on.Figure("commit to the event, P95 of all streams that follow", "ms", harness.None, 5000, told.P95)
			on.Note("  P50", "ms", told.P50)
			on.Note("  streams that follow", "", float64(followers))
			return nil
		},
	}
}

// toldOfAPost commits a post of whom most viewers follow, and waits for the streams of all who do.
func toldOfAPost(ctx context.Context, on *harness.Environment, open *streams, viewers int) (
	*harness.Percentiles, int, error,
) {
	ids := on.ViewerIDs(0, viewers)
	numbers := make([]int64, len(ids))
	for i, id := range ids {
		numbers[i] = int64(id)
	}
	var author int64
	if err := on.Postgres.QueryRow(ctx, `SELECT followee_id FROM follows WHERE follower_id = ANY($1)
		AND followee_id <> ALL($1) GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1`, numbers).Scan(&author); err != nil {
		return nil, 0, fmt.Errorf("whom most viewers follow: %w", err)
	}
	rows, err := on.Postgres.Query(ctx, `SELECT DISTINCT follower_id FROM follows WHERE followee_id = $1 AND
		NOT EXISTS (SELECT FROM blocks WHERE blocker_id IN (follower_id, $1) AND blocked_id IN (follower_id, $1)) AND
		NOT EXISTS (SELECT FROM mutes WHERE muter_id = follower_id AND muted_id = $1)`, author)
	if err != nil {
		return nil, 0, err
	}
	follows := map[core.ID]bool{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, 0, err
		}
		follows[core.ID(id)] = true
	}
	if err := rows.Err(); err != nil {
		return nil, 0, err
	}
	var listening []int
	for i := range open.conns {
		if follows[ids[i%viewers]] {
			listening = append(listening, i)
		}
	}
	began := time.Now()
	if _, err := on.Postgres.Exec(ctx, `INSERT INTO posts (author_id) VALUES ($1)`, author); err != nil {
		return nil, 0, err
	}
	told, err := open.await(listening, began)
	return told, len(listening), err
}
