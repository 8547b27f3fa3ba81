package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/deadletter"
	"github.com/feedrank/feedrank/modules/events"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/migrate"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// options of a drill.
type options struct {
	seed       uint64
	keys       core.KeyForm // of the app: integers or UUIDs
	records    int
	partitions int32
	rate       int // records a second; 0: as many as the actions leave time for
	consumers  []action
	servers    []action
	hosts      int // consumers that are only there
	batch      int // rows
	drain      time.Duration
	away       time.Duration // how long awayClickHouse keeps it away
	backlog    bool          // the consumers start when everything is produced
	warm       time.Duration // at the beginning, of which no ages are kept
	unfenced   bool          // the fence is taken away: what is left must be wrong
	profile    string        // folder for the consumers' profiles
	say        func(format string, args ...any)
}

// drill is one run.
type drill struct {
	options
	dir      string
	servers  *embedded.Stack
	settings settings
	topic    string
	queue    string
	stream   *stream
	producer *producer
	diary    *diary
	spent    spending

	drainedAt time.Time
	serverCPU time.Duration // of ClickHouse since its last start
}

// run carries out a drill and compares what is left.
func run(ctx context.Context, o options) (r *report, err error) {
	d := &drill{options: o, diary: newDiary(o.say)}
	if d.dir, err = os.MkdirTemp("", "feedrank-chaos-"); err != nil {
		return nil, err
	}
	defer func() {
		if os.Getenv("FEEDRANK_CHAOS_KEEP") == "" {
			err = errors.Join(err, os.RemoveAll(d.dir))
		} else {
			o.say("the consumers' logs are in %s\n", d.dir)
		}
	}()
	if d.servers, err = embedded.Start(ctx,
		embedded.Options{Only: []string{embedded.ClickHouse, embedded.Kafka, embedded.Redis}}); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.servers.Stop(context.WithoutCancel(ctx))) }()
	if err := d.prepare(ctx); err != nil {
		return nil, err
	}
	if err := d.disturbed(ctx); err != nil {
		return nil, fmt.Errorf("%w\n%s%s", err, d.behind(context.WithoutCancel(ctx)), d.logTails())
	}
	took := d.drainedAt.Sub(d.diary.began)
	truth, v, ages, err := d.compare(ctx)
	if err != nil {
		return nil, err
	}
	return d.report(truth, v, ages, took), nil
}

// prepare migrates, makes the topics and the stream.
func (d *drill) prepare(ctx context.Context) error {
	a := d.servers.Addresses()
	s := settings{
		Kafka: kafka.DefaultConfig(), ClickHouse: clickhouse.DefaultConfig(), Redis: redis.DefaultConfig(),
		Events: events.DefaultConfig(),
	}
	s.Kafka.Brokers, s.Kafka.SessionTimeout = a.Kafka.Brokers, 3*time.Second
	s.ClickHouse.Addrs, s.ClickHouse.User, s.ClickHouse.Password, s.ClickHouse.Database = []string{a.ClickHouse.Addr},
		a.ClickHouse.User, a.ClickHouse.Password, a.ClickHouse.Database
	s.Redis.Addrs = []string{a.Redis.Addr}
	s.Events.Partitions, s.Events.InsertTimeout = d.partitions, 5*time.Second
	if d.batch > 0 {
		s.Events.Batch.MaxRows, s.Events.Batch.MaxAge = d.batch, 250*time.Millisecond
		// All partitions' windows together hold less than 5 % of the stream.
		s.Events.Dedup.Window = max(1000, 2*d.batch, d.records/20/int(d.partitions))
	}
	if d.keys == core.UUIDKeys {
		s.Events.Keys = core.KeyForms{Users: core.UUIDKeys, Posts: core.UUIDKeys}
	}
	s.Profile = d.profile
	d.settings, d.topic = s, s.Kafka.Topic(s.Events.Topic)
	letters := deadletter.DefaultConfig()
	d.queue = s.Kafka.Topic(letters.EventsTopic)
	if _, err := migrate.ClickHouse(ctx, s.ClickHouse, false); err != nil {
		return err
	}
	if d.unfenced {
		for _, table := range []string{"events", "event_ranges"} {
			if err := d.exec(ctx, "ALTER TABLE "+table+" DROP CONSTRAINT fenced"); err != nil {
				return err
			}
		}
	}
	topics := append(events.TopicSpecs(s.Events, s.Kafka), deadletter.TopicSpecs(letters, s.Kafka)...)
	if _, err := kafka.EnsureTopics(s.Kafka, topics, false); err != nil {
		return err
	}
	d.stream = newStream(d.seed, d.records, time.Now(), d.keys)
	if err := d.writePosts(ctx, false); err != nil {
		return err
	}
	d.producer = &producer{brokers: s.Kafka.Brokers, topic: d.topic, partitions: d.partitions, stream: d.stream}
	return nil
}

// disturbed runs consumers and producer through the plan, and waits until everything is applied.
func (d *drill) disturbed(ctx context.Context) (err error) {
	consumers, servers := queueOf(d.consumers), queueOf(d.options.servers)
	lanes := []*lane{d.lane("consumer-a", 1), d.lane("consumer-b", 2), d.lane("consumer-c", 3)}
	queues := []<-chan action{consumers, consumers, servers}
	for i := range d.hosts {
		lanes, queues = append(lanes, d.lane(fmt.Sprint("host-", i), 0)), append(queues, queueOf(nil))
	}
	if len(d.consumers)+len(d.options.servers) == 0 {
		lanes, queues = lanes[3:], queues[3:]
	}
	defer func() {
		for _, l := range lanes {
			if l.p != nil { // it has left already if all went well
				if err != nil {
					l.p.tellWhereItIs()
				}
				err = errors.Join(err, l.p.kill())
			}
		}
	}()
	if d.backlog {
		if err := d.producer.run(ctx, func() int { return d.records }); err != nil {
			return err
		}
	}
	d.diary.began = time.Now()
	group, working := errgroup.WithContext(ctx)
	for i, l := range lanes {
		group.Go(func() error { return l.work(working, queues[i]) })
	}
	group.Go(func() error { return d.producer.run(working, d.allowed) })
	group.Go(func() error {
		for d.producer.sent.Load() < int64(d.records)/2 {
			if err := worker.Pause(working, 20*time.Millisecond); err != nil {
				return err
			}
		}
		return d.writePosts(working, true)
	})
	watching, stop := context.WithCancel(working)
	group.Go(func() error { return d.watch(watching) })
	group.Go(func() error {
		defer stop()
		return d.drained(working)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	for _, l := range lanes {
		if !l.p.running() {
			return fmt.Errorf("%s ended by itself", l.name)
		}
		if err := l.p.leave(); err != nil {
			return err
		}
	}
	return nil
}

func (d *drill) lane(name string, n uint64) *lane {
	return &lane{drill: d, name: name, rng: rand.New(rand.NewPCG(d.seed, 10+n))} // it must be repeatable
}

func queueOf(all []action) <-chan action {
	queue := make(chan action, len(all))
	for _, a := range all {
		queue <- a
	}
	close(queue)
	return queue
}

// allowed spreads the stream over the actions: each has its share, half of it at its beginning, and the rest over ten
// minutes, so that there is always something to apply: what is tried again comes to a step, too, on a slow machine.
func (d *drill) allowed() int {
	if d.rate > 0 {
		return int(time.Since(d.diary.began).Seconds() * float64(d.rate))
	}
	done, last := d.diary.progress()
	all := len(d.consumers) + len(d.options.servers)
	if done >= all {
		return d.records
	}
	waited := time.Since(last).Seconds()
	part := (1 - math.Exp(-waited/5) + min(1, waited/600)) / 2
	return int(float64(d.records) * (float64(done) + part) / float64(all))
}

// watch says how far it is.
func (d *drill) watch(ctx context.Context) error {
	for worker.Pause(ctx, 10*time.Second) == nil {
		done, _ := d.diary.progress()
		applied, err := d.covered(ctx)
		if err != nil { // the server is away
			continue
		}
		d.say("%7.2fs  … %d of %d records produced, %d applied, %d of %d disturbances\n",
			time.Since(d.diary.began).Seconds(), d.producer.sent.Load(), d.records,
			applied, done, len(d.consumers)+len(d.options.servers))
	}
	return nil
}

// drained waits until the ledger covers everything that was produced; if that never happens, the
// comparison says what is missing.
func (d *drill) drained(ctx context.Context) error {
	all := len(d.consumers) + len(d.options.servers)
	for {
		if done, _ := d.diary.progress(); done >= all && d.producer.sent.Load() >= int64(d.records) {
			break
		}
		if err := worker.Pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	defer func() { d.drainedAt, d.serverCPU = time.Now(), processorTime(d.servers.ClickHouse.PID()) }()
	waiting, cancel := context.WithTimeout(ctx, d.drain)
	defer cancel()
	for {
		ends, err := logEnds(d.settings.Kafka.Brokers, d.topic)
		all := int64(0)
		for _, end := range ends {
			all += end
		}
		// what is doubled never matches
		if covered, err2 := d.covered(waiting); err == nil && err2 == nil && int64(covered) >= all &&
			(d.unfenced || d.resolved(waiting)) {
			return nil
		}
		if err := worker.Pause(waiting, 50*time.Millisecond); err != nil {
			if ctx.Err() == nil {
				d.say("          not everything is applied after %s\n", d.drain)
			}
			return ctx.Err()
		}
	}
}

// writePosts has the app's records of the posts that are there from the beginning, or of those that come late.
func (d *drill) writePosts(ctx context.Context, second bool) error {
	var rows []string
	for post := int64(1); post <= int64(d.stream.posts); post++ {
		if late(post) == second {
			rows = append(rows, fmt.Sprintf("(%d, %d, now64(6) - INTERVAL 1 DAY, 1)", d.stream.storedPost(post),
				d.stream.storedUser(author(post, d.stream.posts))))
		}
	}
	return d.exec(ctx, "INSERT INTO posts (id, author_id, created_at, version) VALUES "+strings.Join(rows, ","))
}

// resolved tells whether every event that came before its post is counted by now, in both views: of what is no
// reaction, as many as there are rows.
func (d *drill) resolved(ctx context.Context) bool {
	rows, err1 := d.number(ctx, "SELECT count() AS n FROM events WHERE action IN ('impression', 'view', 'click')")
	counted, err2 := d.number(ctx, "SELECT toUInt64(sum(exposures + views + clicks)) AS n FROM post_metrics_1h")
	ofOthers, err3 := d.number(ctx, `SELECT count() AS n FROM events
		INNER JOIN (SELECT id, argMax(author_id, version) AS author FROM posts GROUP BY id) AS post ON post.id = events.post_id
		WHERE action IN ('view', 'click') AND user_id != author`)
	towards, err4 := d.number(ctx, "SELECT toUInt64(sum(views + clicks)) AS n FROM user_author_90d")
	return errors.Join(err1, err2, err3, err4) == nil && rows == counted && ofOthers == towards
}

// caughtUp waits until the consumers have applied what was produced but some records: before a disturbance a
// twentieth of the stream, so that the drill disturbs work, not only taking up work again, however fast the machine is.
func (d *drill) caughtUp(ctx context.Context, but int) error {
	last, since := uint64(0), time.Now()
	for {
		sent := uint64(d.producer.sent.Load())
		applied, err := d.covered(ctx)
		switch {
		case err == nil && applied+uint64(but) >= sent:
			return nil
		case err == nil && applied > last:
			last, since = applied, time.Now()
		case time.Since(since) > stalled:
			return fmt.Errorf("nothing was applied for %s: %d of %d records are", stalled, last, sent)
		}
		if err := worker.Pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// behind says for each partition how far it is applied, where its log ends, and who has it.
func (d *drill) behind(ctx context.Context) string {
	ends, err := logEnds(d.settings.Kafka.Brokers, d.topic)
	var b strings.Builder
	for partition := range d.partitions {
		applied, failed := d.number(ctx, fmt.Sprintf(
			"SELECT max(last_offset) + 1 AS n FROM event_ranges WHERE kafka_partition = %d", partition))
		err = errors.Join(err, failed)
		fmt.Fprintf(&b, "partition %d: applied up to %d of %d\n", partition, applied, ends[partition])
	}
	group, failed := members(d.settings.Kafka.Brokers, d.settings.Kafka.Topic("feedrank-events"))
	b.WriteString(group)
	if err = errors.Join(err, failed); err != nil {
		fmt.Fprintf(&b, "not all of it: %v\n", err)
	}
	return b.String()
}

// stalled is how long nothing may be applied although nobody new is disturbed.
const stalled = 2 * time.Minute

// covered is how many records of the log the ledger accounts for.
func (d *drill) covered(ctx context.Context) (uint64, error) {
	return d.number(ctx,
		"SELECT sum(last) AS n FROM (SELECT max(last_offset) + 1 AS last FROM event_ranges GROUP BY kafka_partition)")
}
