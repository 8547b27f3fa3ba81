package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/test/tables"
)

// options of a drill.
type options struct {
	seed    uint64
	keys    core.KeyForm // of the app: integers or UUIDs
	kills   int          // of each part
	freezes int          // of a consumer, and of the leading source
	writers int
	drain   time.Duration
	say     func(format string, args ...any)
}

// The parts that are killed, and what else is done to one.
const (
	theSource      = "source" // the one that leads
	theConsumer    = "consumer"
	frozenConsumer = "frozen consumer"
	frozenSource   = "frozen source" // the one that leads, until the other does
)

// people of the world in which the writers write, and how seldom these truncate: what is left at the end
// should be worth comparing.
const (
	people = 3000
	keep   = 30
)

// drill is one run.
type drill struct {
	*chain
	options
	began time.Time

	mu      sync.Mutex
	counts  map[string]int
	workers map[string]*process
}

// result is what a drill found.
type result struct {
	changes int64
	kills   int
	rows    int
	wrong   string // empty: everything is equal
}

// line is the last one.
func (r result) line() string {
	return fmt.Sprintf("cdc-chaos: changes=%d kills=%d tables_equal=%t rows_checked=%d", r.changes, r.kills,
		r.wrong == "", r.rows)
}

// run carries out a drill and compares what is left.
func run(ctx context.Context, o options) (r result, err error) {
	c, err := start(ctx, o.keys)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	d := &drill{chain: c, options: o, began: time.Now(), counts: map[string]int{}, workers: map[string]*process{}}
	if _, err := d.pool.Exec(ctx, tables.World(people)); err != nil {
		return r, err
	}
	defer func() {
		for _, p := range d.workers {
			err = errors.Join(err, p.leave())
		}
	}()
	for _, w := range []struct {
		name string
		as   role
	}{{"source-a", sourceRole}, {"source-b", sourceRole}, {"consumer-a", consumerRole}, {"consumer-b", consumerRole}} {
		if err := d.begin(w.name, w.as); err != nil {
			return r, err
		}
	}
	var changes atomic.Int64
	if err := d.disturbed(ctx, &changes); err != nil {
		return r, err
	}
	d.say("%7.2fs  nothing is written or killed any more\n", time.Since(d.began).Seconds())
	r.changes = changes.Load()
	r.rows, r.wrong, err = d.compare(ctx)
	for part, n := range d.counts {
		d.say("%-16s %d\n", part, n)
		r.kills += n
	}
	return r, err
}

// disturbed writes and kills at the same time, until the plan is carried out.
func (d *drill) disturbed(ctx context.Context, changes *atomic.Int64) error {
	writing, stop := context.WithCancel(ctx)
	defer stop()
	var writers sync.WaitGroup
	for i := range d.writers {
		// it must be repeatable
		w := &tables.Writer{
			Pool: d.pool, Random: rand.New(rand.NewPCG(d.seed, uint64(i))), Users: people, Keep: keep,
			Rows: changes, Audiences: d.keys != core.UUIDKeys,
		}
		writers.Go(func() { w.Run(writing) })
	}
	// Two lanes: a worker is also killed while a server is away.
	lanes, working := errgroup.WithContext(ctx)
	lanes.Go(func() error {
		return d.lane(working, 100, changes, plan{
			theSource: d.kills, theConsumer: d.kills, frozenConsumer: d.freezes,
			frozenSource: d.freezes,
		})
	})
	lanes.Go(func() error {
		return d.lane(working, 101, changes, plan{
			embedded.ClickHouse: d.kills, embedded.Postgres: d.kills,
			embedded.Kafka: d.kills,
		})
	})
	err := lanes.Wait()
	if err == nil {
		err = d.await(ctx, changes, 200) // the last kill is recovered from under load, too
	}
	stop()
	writers.Wait()
	return err
}

// plan is how often something is done to each part.
type plan map[string]int

func (p plan) shuffled(random *rand.Rand) []string {
	var all []string
	for _, part := range []string{
		theSource, theConsumer, frozenConsumer, frozenSource, embedded.ClickHouse,
		embedded.Postgres, embedded.Kafka,
	} {
		for range p[part] {
			all = append(all, part)
		}
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// lane carries out a plan, one disturbance after another, each at a random moment after some changes.
func (d *drill) lane(ctx context.Context, n uint64, changes *atomic.Int64, p plan) error {
	random := rand.New(rand.NewPCG(d.seed, n)) // it must be repeatable
	for _, part := range p.shuffled(random) {
		if err := d.await(ctx, changes, changes.Load()+int64(random.IntN(60))); err != nil {
			return err
		}
		if err := worker.Pause(ctx, time.Duration(random.IntN(1500))*time.Millisecond); err != nil {
			return err
		}
		if err := d.disturb(ctx, part, random); err != nil {
			return err
		}
		d.mu.Lock()
		d.counts[part]++
		d.mu.Unlock()
	}
	return nil
}

func (d *drill) await(ctx context.Context, changes *atomic.Int64, least int64) error {
	for changes.Load() < least {
		if err := worker.Pause(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (d *drill) disturb(ctx context.Context, part string, random *rand.Rand) error {
	defer func() { d.say("%7.2fs  %s\n", time.Since(d.began).Seconds(), part) }()
	switch part {
	case theSource:
		p, err := d.leader(ctx)
		if err != nil {
			return err
		}
		return d.replace(p, sourceRole)
	case theConsumer:
		return d.replace(d.pick(consumerRole, random), consumerRole)
	case frozenConsumer:
		p := d.pick(consumerRole, random)
		if err := p.freeze(); err != nil {
			return err
		}
		err := worker.Pause(ctx, 2*d.settings.Kafka.SessionTimeout) // another has its partitions meanwhile
		return errors.Join(err, p.thaw())
	}
	if part == frozenSource {
		return d.freezeLeader(ctx)
	}
	for _, server := range d.servers.Servers() {
		if server.Name() == part {
			return errors.Join(server.Kill(), server.Start(ctx))
		}
	}
	return fmt.Errorf("no part %s", part)
}

func (d *drill) begin(name string, as role) error {
	p, err := d.worker(name, as)
	if err != nil {
		return err
	}
	d.workers[name] = p
	return nil
}

// replace kills a worker and starts it again.
func (d *drill) replace(p *process, as role) error {
	if !p.running() {
		return fmt.Errorf("%s ended by itself:\n%s", p.name, d.tail(p.name))
	}
	if err := p.kill(); err != nil {
		return err
	}
	return d.begin(p.name, as)
}

// freezeLeader stops the leading source in the middle of whatever it does, waits until the other leads and
// has sent something, and lets the first go on with what it has in hand.
func (d *drill) freezeLeader(ctx context.Context) error {
	frozen, err := d.leader(ctx)
	if err != nil {
		return err
	}
	if err := frozen.freeze(); err != nil {
		return err
	}
	frozen.leads.Store(false) // as far as it can tell us
	_, err = d.leader(ctx)
	if err == nil {
		err = worker.Pause(ctx, time.Second)
	}
	return errors.Join(err, frozen.thaw())
}

// leader waits for a source that leads.
func (d *drill) leader(ctx context.Context) (*process, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("no source leads"))
	defer cancel()
	for {
		for _, name := range []string{"source-a", "source-b"} {
			p := d.workers[name]
			if !p.running() {
				return nil, fmt.Errorf("%s ended by itself:\n%s", name, d.tail(name))
			}
			if p.leads.Load() {
				return p, nil
			}
		}
		if worker.Pause(ctx, 5*time.Millisecond) != nil {
			return nil, context.Cause(ctx)
		}
	}
}

func (d *drill) pick(as role, random *rand.Rand) *process {
	return d.workers[string(as)+[]string{"-a", "-b"}[random.IntN(2)]]
}

// compare waits until the tables are equal, and tells what is wrong when they do not become so.
func (d *drill) compare(ctx context.Context) (rows int, wrong string, err error) {
	waiting, cancel := context.WithTimeout(ctx, d.drain)
	defer cancel()
	for {
		differences := tables.DifferencesWithAudiences
		if d.keys == core.UUIDKeys {
			differences = tables.DifferencesOfUUIDs
		}
		diff, n, err := differences(waiting, d.pool, d.db)
		if err == nil {
			rows, wrong = n, diff
			if diff == "" {
				break
			}
		}
		if worker.Pause(waiting, 50*time.Millisecond) != nil {
			if ctx.Err() != nil {
				return rows, wrong, ctx.Err()
			}
			for name := range d.workers { // what kept them from it
				d.say("%s said last:\n%s\n", name, d.tail(name))
			}
			if err := d.why(ctx, wrong); err != nil {
				d.say("more is not known: %v\n", err)
			}
			return rows, fmt.Sprintf("after %s: %s(%v)", d.drain, wrong, err), nil
		}
	}
	for name, p := range d.workers {
		if !p.running() {
			return rows, fmt.Sprintf("%s ended by itself:\n%s", name, d.tail(name)), nil
		}
	}
	dead, err := d.deadLetters()
	if err == nil && dead > 0 {
		wrong = fmt.Sprintf("%d dead letters", dead)
	}
	return rows, wrong, err
}
