package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feedrank/feedrank/modules/cdc"
	"github.com/feedrank/feedrank/modules/cdc/resync"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/test/tables"
)

// measurements are what `cdc measure` takes, with one source and one consumer.
type measurements struct {
	trials int    // commits of each rate
	rows   int    // of the large transaction, of the snapshot and of the comparison
	part   string // only this one; empty: all
	say    func(format string, args ...any)
}

func (m *measurements) run(ctx context.Context) error {
	known := false
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{{"latencies", m.latencies}, {"snapshot", m.snapshot}, {"transaction", m.transaction}} {
		if m.part != "" && m.part != part.name {
			continue
		}
		known = true
		if err := part.run(ctx); err != nil {
			return err
		}
	}
	if !known {
		return fmt.Errorf("part %q: want latencies, snapshot or transaction", m.part)
	}
	return nil
}

// with gives f servers of its own and a source and a consumer on them.
func (m *measurements) with(ctx context.Context, setup []string,
	f func(c *chain, src, consumer *process) error,
) (err error) {
	c, err := start(ctx, core.IntegerKeys)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	for _, statement := range setup {
		if _, err := c.pool.Exec(ctx, statement); err != nil {
			return err
		}
	}
	src, err := c.worker("source", sourceRole)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.leave()) }()
	consumer, err := c.worker("consumer", consumerRole)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, consumer.leave()) }()
	return f(c, src, consumer)
}

// latencies measures, at steady rates of changes, the time from the moment a commit returned until a
// query of ClickHouse finds the row: what a feed would see.
func (m *measurements) latencies(ctx context.Context) error {
	return m.with(ctx, []string{tables.World(people)}, func(c *chain, _, _ *process) error {
		if err := equal(ctx, c); err != nil {
			return err
		}
		id := 100_000
		for _, rate := range []int{10, 100, 1000} {
			load, stop := context.WithCancel(ctx)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				c.load(load, rate)
			}()
			var took []time.Duration
			for range m.trials {
				id++
				d, err := c.visible(ctx, id)
				if err != nil {
					stop()
					<-ended
					return err
				}
				took = append(took, d)
			}
			stop()
			<-ended
			slices.Sort(took)
			at := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
			m.say("commit to visible at %4d changes/s: p50=%.0fms p95=%.0fms p99=%.0fms max=%.0fms trials=%d\n", rate,
				at(0.5), at(0.95), at(0.99), at(1), m.trials)
		}
		return nil
	})
}

// load writes likes at a rate, in transactions of their own or of ten.
func (c *chain) load(ctx context.Context, rate int) {
	each := max(1, rate/100)
	tick := time.NewTicker(time.Second * time.Duration(each) / time.Duration(rate))
	defer tick.Stop()
	for i := 0; ; i += each {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		_, _ = c.pool.Exec(ctx, `INSERT INTO likes (user_id, post_id) SELECT 1 + i % 300, 1 + (i * 7) % 900 FROM generate_series($1::int, $2::int) i
			ON CONFLICT (user_id, post_id) DO UPDATE SET created_at = now()`, i, i+each-1) // one more or less
	}
}

// visible is how long a commit takes to become visible.
func (c *chain) visible(ctx context.Context, id int) (time.Duration, error) {
	if _, err := c.pool.Exec(ctx, `INSERT INTO posts (id, author_id, body) VALUES ($1, 1, 'probe')`, id); err != nil {
		return 0, err
	}
	committed := time.Now()
	for {
		n, err := c.count(ctx, fmt.Sprintf("posts FINAL WHERE id = %d", id))
		if err != nil || n == 1 {
			return time.Since(committed), err
		}
		if err := worker.Pause(ctx, time.Millisecond); err != nil {
			return 0, err
		}
	}
}

func (c *chain) count(ctx context.Context, from string) (uint64, error) {
	var n proto.ColUInt64
	err := c.db.Read(ctx, clickhouse.Query{
		Name:  "count",
		Query: ch.Query{Body: "SELECT count() AS n FROM " + from, Result: proto.Results{{Name: "n", Data: &n}}},
	})
	if err != nil {
		return 0, err
	}
	return n.Row(0), nil
}

// arrived waits until the copy of likes has all rows.
func (c *chain) arrived(ctx context.Context, rows int) error {
	// FINAL reads every row: asked all the time it would be most of what is measured
	for _, from := range []string{"likes", "likes FINAL"} {
		for {
			n, err := c.count(ctx, from)
			if err != nil {
				return err
			}
			if n >= uint64(rows) {
				break
			}
			if err := worker.Pause(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

func equal(ctx context.Context, c *chain) error {
	for {
		diff, _, err := tables.Differences(ctx, c.pool, c.db)
		if err == nil && diff == "" {
			return nil
		}
		if err := worker.Pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

const few = `
	INSERT INTO users (id, name) SELECT i, 'u' FROM generate_series(1, 1000) i;
	INSERT INTO posts (id, author_id) SELECT i, 1 FROM generate_series(1, 1000) i;`

func likes(rows int) string {
	return fmt.Sprintf(`INSERT INTO likes (user_id, post_id) SELECT i %% 1000 + 1, i / 1000 + 1 FROM generate_series(0, %d) i`, min(rows, 1_000_000)-1)
}

// snapshot measures how fast a table is read for the first time, and how long a comparison of the result
// takes.
func (m *measurements) snapshot(ctx context.Context) error {
	began := time.Now()
	return m.with(ctx, []string{few, likes(m.rows)}, func(c *chain, src, consumer *process) error {
		began = time.Now()
		if err := c.arrived(ctx, m.rows); err != nil {
			return err
		}
		took := time.Since(began)
		m.say("snapshot of %d rows: %.1fs, %.0f rows/s; %s; %s\n", m.rows, took.Seconds(),
			float64(m.rows)/took.Seconds(), src.spent(), consumer.spent())
		patient := c.settings.ClickHouse
		patient.QueryTimeout = time.Hour
		db := clickhouse.New(patient, prometheus.NewRegistry())
		defer db.Close()
		r, err := cdc.NewResync(c.settings.CDC, c.settings.Kafka, c.pool, db, nil, core.SystemClock{},
			prometheus.NewRegistry())
		if err != nil {
			return err
		}
		began = time.Now()
		found, err := r.Run(ctx, resync.Options{Table: "public.likes"})
		if err != nil {
			return err
		}
		m.say("resync --check of %d rows: %.1fs, equal=%t\n", found[0].Rows, time.Since(began).Seconds(),
			found[0].Equal())
		return nil
	})
}

// transaction measures how fast one large transaction passes, and what the source and the consumer hold
// in memory meanwhile.
func (m *measurements) transaction(ctx context.Context) error {
	return m.with(ctx, []string{few}, func(c *chain, src, consumer *process) error {
		if err := equal(ctx, c); err != nil {
			return err
		}
		m.say("before the transaction: %s; %s\n", src.spent(), consumer.spent())
		if _, err := c.pool.Exec(ctx, likes(m.rows)); err != nil {
			return err
		}
		began := time.Now()
		if err := c.arrived(ctx, m.rows); err != nil {
			return err
		}
		took := time.Since(began)
		m.say("one transaction of %d rows: %.1fs after its commit, %.0f rows/s; %s; %s\n", m.rows, took.Seconds(),
			float64(m.rows)/took.Seconds(), src.spent(), consumer.spent())
		return nil
	})
}

// spent tells the most memory that a process has held at one time, and the processor time it has used.
func (p *process) spent() string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return err.Error()
	}
	peak := ""
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			peak = strings.Join(strings.Fields(value), " ")
		}
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return err.Error()
	}
	var user, system int
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	_, _ = fmt.Sscan(fields[11], &user) // zero at worst
	_, _ = fmt.Sscan(fields[12], &system)
	const ticks = 100 // a second: USER_HZ of every Linux
	return fmt.Sprintf("%s: at most %s resident, %.1f s of processor", p.name, peak, float64(user+system)/ticks)
}
