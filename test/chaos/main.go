// Command chaos is the drill that the events path must pass: a known stream goes through Kafka and the
// consumers into ClickHouse while consumers, ClickHouse, Kafka and Redis are killed, frozen and started
// again, each at named steps of the protocol. At the end everything that is left is compared with what
// must be.
//
// stream.go and produce.go make the stream, which is the ledger. consumer.go is a consumer process, the
// program's own consumer with orders to kill itself. plan.go says what is done, lanes.go does it.
// truth.go works out what must be from the log and the stream, compare.go compares; neither shares
// anything with the consumer.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
)

func main() {
	embedded.RunChildIfAsked()
	consumeIfAsked()
	if err := drillAsAsked(); err != nil {
		if !errors.Is(err, errWrong) { // the last line says so
			_, _ = fmt.Fprintln(os.Stderr, "chaos:", err)
		}
		os.Exit(1)
	}
}

func drillAsAsked() error {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(os.Stdout, format, args...) }
	o := options{say: say}
	var c counts
	var partitions int
	var limit time.Duration
	var reports string
	flag.Uint64Var(&o.seed, "seed", 1, "of the stream and of the plan")
	form := flag.String("keys", string(core.IntegerKeys), "of the app: integer or uuid")
	flag.IntVar(&o.records, "events", 2_200_000, "records of the stream")
	flag.IntVar(&partitions, "partitions", 6, "of the topic")
	flag.IntVar(&o.batch, "batch", 8000, "rows of a batch; 0: the program's default, and its window")
	flag.IntVar(&o.rate, "rate", 0, "records a second; 0: what the disturbances leave time for")
	flag.IntVar(&o.hosts, "consumers", 0, "consumers that are not disturbed")
	flag.IntVar(&c.consumer, "consumer-kills", 5, "at each step")
	flag.IntVar(&c.freeze, "freezes", 1, "of a consumer, at each step")
	flag.IntVar(&c.clickhouse, "clickhouse-kills", 2, "at each step")
	flag.IntVar(&c.kafka, "kafka-kills", 2, "at each step")
	flag.IntVar(&c.insert, "insert-kills", 10, "of ClickHouse, between an insert's raw part and its views")
	flag.IntVar(&c.redis, "redis-flushes", 5, "in all")
	flag.IntVar(&c.join, "joins", 5, "in all")
	flag.DurationVar(&o.drain, "drain", 3*time.Minute, "until everything must be applied, at the end")
	flag.DurationVar(&limit, "limit", 20*time.Minute, "of the whole drill")
	flag.StringVar(&reports, "reports", "test/reports", "folder for the report")
	flag.BoolVar(&o.unfenced, "unfenced", false, "take the fence away: the drill must then fail")
	short := flag.Bool("short", false, "the drill that the tests run")
	speed := flag.Bool("speed", false, "measure instead: nobody is disturbed, the consumer is one process")
	only := flag.String("only", "", "with -speed: 1k/s, 10k/s, backlog, killed or away")
	length := flag.Duration("length", 20*time.Second, "with -speed: of a rate")
	outage := flag.Duration("outage", time.Minute, "with -speed: how long ClickHouse is away")
	backlog := flag.Int("backlog", 1_000_000, "with -speed: records")
	profiles := flag.String("profiles", "", "with -speed: folder for profiles and metrics of the consumer")
	flag.Parse()
	if o.keys = core.KeyForm(*form); o.keys != core.IntegerKeys && o.keys != core.UUIDKeys {
		return fmt.Errorf("-keys %s: want integer or uuid", o.keys)
	}
	o.partitions = int32(partitions)
	o.consumers, o.servers = plan(o.seed, c)
	if *short {
		say, unfenced, keys := o.say, o.unfenced, o.keys
		o = shortDrill(o.seed)
		o.say, o.unfenced, o.keys = say, unfenced, keys
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if *speed {
		return measure(ctx, trials(o.seed, o.keys, *length, *outage, *backlog), *only, *profiles, say)
	}
	r, err := run(ctx, o)
	if err != nil {
		return err
	}
	file, err := r.write(reports)
	if err != nil {
		return err
	}
	say("copies=%d letters=%d repeats=%d reconciled=%d report=%s\n", r.Copies, r.Letters, r.Repeats, r.Reconciled, file)
	say("applied after p50=%.3fs p95=%.3fs max=%.1fs; recovery p50=%.1fs max=%.1fs; consumer %.0f events per CPU second, %d MiB\n",
		r.Applied.P50, r.Applied.P95, r.Applied.Max, r.Recovery.P50, r.Recovery.Max, r.PerCPU, r.MaxRSS>>20)
	for _, example := range r.Examples {
		say("wrong: %s\n", example)
	}
	say("%s\n", r.line())
	if !r.clean() {
		return errWrong
	}
	return nil
}

// shortDrill is the one of the tests.
func shortDrill(seed uint64) options {
	o := options{seed: seed, records: 100_000, partitions: 4, batch: 600, drain: 90 * time.Second}
	o.consumers, o.servers = shortPlan()
	return o
}
