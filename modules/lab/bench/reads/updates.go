package reads

import (
	"context"
	"errors"
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

// Updates is what open streams of updates cost a replica that is idle, and how soon they are told of a post: over
// HTTP/1, where each has a connection, as many as a process may have files, and what 50,000 take is worked out from
// that where it is fewer; then 50,000 over HTTP/2, where they share connections.
func Updates() harness.Bench {
	return harness.Bench{
		Name: "updates", Says: "open streams of updates: memory and CPU of each while idle, from a commit to the event",
		Run: func(ctx context.Context, on *harness.Environment) error {
			var files unix.Rlimit
			if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
				return err
			}
			if _, err := on.Serve(ctx, "changes", "cdc-source,cdc-consumer"); err != nil {
				return err
			}
			l := listening{viewers: min(2000, on.World.Users)}
			l.name, l.streams = "HTTP/1", min(wantedStreams, int(min(files.Max, 1<<20))-filesBeside)
			program, err := l.serve(ctx, on, "program")
			if err != nil {
				return err
			}
			if l.requests, err = on.Viewers(harness.FeedPath, 0, l.viewers); err != nil {
				return err
			}
			if err := on.Each(ctx, program.Addr, 4, l.requests); err != nil {
				return err
			}
			if err := l.measure(ctx, on, program, overHTTP1(program.Addr)); err != nil {
				return err
			}
			if err := program.Stop(); err != nil {
				return err
			}
			l.name, l.streams = "HTTP/2", wantedStreams
			cert, key, err := harness.Certificate(on.Logs)
			if err != nil {
				return err
			}
			program, err = l.serve(ctx, on, "program2", "http.tls.cert_file="+cert, "http.tls.key_file="+key)
			if err != nil {
				return err
			}
			return l.measure(ctx, on, program, overHTTP2(program.URL(), l.streams))
		},
	}
}

// listening is a part of the bench: so many streams over one of the protocols.
type listening struct {
	name             string
	streams, viewers int
	requests         []harness.Request
}

func (l listening) serve(ctx context.Context, on *harness.Environment, name string, set ...string) (*harness.Program,
	error,
) {
	return on.Serve(ctx, name, "api", append(set, fmt.Sprint("feed.updates.max_streams=", l.streams),
		fmt.Sprint("feed.updates.max_streams_per_user=", 1+l.streams/l.viewers), "feed.updates.max_age=12h",
		fmt.Sprint("http.max_connections=", 2*l.streams), "rate_limit.user_per_minute=0",
		"rate_limit.address_per_minute=0")...)
}

func (l listening) measure(ctx context.Context, on *harness.Environment, program *harness.Program, by opener) error {
	without, err := on.Idle(ctx, "no stream, "+l.name, on.Lasting(30*time.Second))
	if err != nil {
		return err
	}
	began := time.Now()
	open, err := openStreams(ctx, by, l.requests, l.streams)
	if err != nil {
		return err
	}
	opening := time.Since(began)
	with, err := on.Idle(ctx, harness.Short(float64(l.streams))+" idle streams, "+l.name, on.Lasting(90*time.Second))
	if err != nil {
		return errors.Join(err, open.close())
	}
	memory, err := program.Metrics(ctx)
	if err != nil {
		return errors.Join(err, open.close())
	}
	told, followers, err := toldOfAPost(ctx, on, open, l.viewers)
	if err = errors.Join(err, open.close()); err != nil {
		return err
	}
	before, after := without.Usage[program.Name], with.Usage[program.Name]
	each := float64(after.MemoryBytes-before.MemoryBytes) / float64(l.streams)
	figure := func(what, unit string, aim, value float64) {
		on.Figure(l.name+": "+what, unit, harness.None, aim, value)
	}
	figure("an idle stream, resident", "KB", 20, each/1e3)
	figure("50,000 idle streams, resident with all else", "MB", 1000,
		(float64(before.MemoryBytes)+wantedStreams*each)/1e6)
	on.Note("  streams that were open", "", float64(l.streams))
	on.Note("  resident before", "MB", float64(before.MemoryBytes)/1e6)
	on.Note("  stacks with them", "MB", memory["go_memstats_stack_inuse_bytes"]/1e6)
	on.Note("  heap with them", "MB", memory["go_memstats_heap_inuse_bytes"]/1e6)
	on.Note("  opened", "streams/s", float64(l.streams)/opening.Seconds())
	figure("10,000 idle streams", "% of a core", 5, 100*(after.Cores-before.Cores)*10_000/float64(l.streams))
	figure("commit to the event, P95 of all streams that follow", "ms", 5000, told.P95)
	on.Note("  P50", "ms", told.P50)
	on.Note("  streams that follow", "", float64(followers))
	return nil
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
	for i := range open.open {
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
