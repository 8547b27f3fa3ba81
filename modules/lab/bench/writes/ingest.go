package writes

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/IBM/sarama"
	"github.com/google/uuid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/bench/harness"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Ingest is the way of events from Kafka into ClickHouse, with everything that makes each count once,
// against writing the same rows with ch-go alone.
func Ingest() harness.Bench {
	return harness.Bench{
		Name: "ingest",
		Says: "events a second for each core of the consumer, against ch-go alone without Kafka and guarantees",

		AnyKeys: true,
		Run: func(ctx context.Context, on *harness.Environment) error {
			events := 1_000_000
			if on.For > 0 {
				events = min(events, 20_000*int(on.For.Seconds()))
			}
			if _, err := on.Serve(ctx, "program", "events-consumer"); err != nil {
				return err
			}
			if _, err := Applied(ctx, on, 1000); err != nil { // the partitions are taken, their filters filled
				return err
			}
			p, err := Applied(ctx, on, events)
			if err != nil {
				return err
			}
			raw, err := RawInserts(ctx, on)
			if err != nil {
				return err
			}
			perCore := float64(events) / p.Usage["program"].CPUSeconds
			on.FigureAtLeast("events for each CPU second of the consumer", "", 1000, 100_000, perCore)
			on.FigureAtLeast("events a second, all on this machine", "", 10_000, harness.None,
				float64(events)/p.Seconds)
			on.Note("CPU of ClickHouse an event", "µs", 1e6*p.Usage["clickhouse"].CPUSeconds/float64(events))
			on.Note("ch-go alone: rows for each CPU second of the writer", "", raw.PerCPU)
			on.Note("ch-go alone: rows a second", "", raw.PerSecond)
			on.Note("the consumer's CPU for each of ch-go's alone", "×", raw.PerCPU/perCore)
			return nil
		},
	}
}

// Applied sends so many events to Kafka and waits until all are in the ledger. They are made before: what the
// generator takes for them is no part of it.
func Applied(ctx context.Context, on *harness.Environment, events int) (*harness.Phase, error) {
	const recorded = "SELECT toInt64(sum(last_offset - first_offset + 1)) AS n FROM event_ranges"
	before, err := on.Count(ctx, recorded)
	if err != nil {
		return nil, err
	}
	const chunk = 2000
	messages := make([][]*sarama.ProducerMessage, 0, 1+events/chunk)
	for made := 0; made < events; made += chunk {
		messages = append(messages, anything(on, min(chunk, events-made)))
	}
	name := fmt.Sprintf("%d events", events)
	_, err = on.Trials(ctx, name, 1, 1, func(ctx context.Context, _ int) (time.Duration, error) {
		began := time.Now()
		if err := produce(ctx, on, messages); err != nil {
			return 0, err
		}
		ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
		defer cancel()
		err := harness.Until(ctx, 20*time.Millisecond, "all events are applied", func() (bool, error) {
			n, err := on.Count(ctx, recorded)
			return n >= before+int64(events), err
		})
		return time.Since(began), err
	})
	return on.LastPhase(), err
}

// produce writes events to the topic as the API does.
func produce(ctx context.Context, on *harness.Environment, messages [][]*sarama.ProducerMessage) error {
	producer := kafka.NewProducer(on.Kafka)
	defer func() { _ = producer.Close() }() // everything is acknowledged
	for _, some := range messages {
		if err := producer.Send(ctx, some...); err != nil {
			return err
		}
	}
	return nil
}

// anything is n events of now, of people and posts of the world by an even choice.
func anything(on *harness.Environment, n int) []*sarama.ProducerMessage {
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 5))
	actions := []string{
		"impression", "impression", "impression", "impression", "view", "view", "click", "like",
		"comment", "share",
	}
	messages := make([]*sarama.ProducerMessage, n)
	post := func() string { return on.Keys.Post(core.ID(1 + random.IntN(on.World.Posts))).String() }
	user := func() string { return on.Keys.User(core.ID(1 + random.IntN(on.World.Users))).String() }
	now := time.Now().UTC()
	at := now.Format("2006-01-02T15:04:05.000Z07:00")
	for i := range messages {
		messages[i] = &sarama.ProducerMessage{
			Topic: on.Kafka.Topic("events"), Timestamp: now,
			Key: sarama.StringEncoder(user()),
			Value: sarama.StringEncoder(fmt.Sprintf(`{"v":1,"event_id":"%s","action":"%s","post_id":"%s","author_id":"%s","occurred_at":"%s","received_at":"%s","device":"phone","app_version":"1.0"}`,
				uuid.New(), actions[random.IntN(len(actions))], post(), user(), at, at)),
		}
	}
	return messages
}

// Trickle writes as many events each second as the world had on its last day, on average, until the bench ends.
func Trickle(ctx context.Context, on *harness.Environment) (perSecond float64, err error) {
	day, err := on.Count(ctx,
		fmt.Sprintf("SELECT toInt64(count()) AS n FROM events WHERE occurred_at >= toDateTime(%d, 'UTC')",
			on.World.Now.Add(-24*time.Hour).Unix()))
	if err != nil {
		return 0, err
	}
	perSecond = float64(day) / (24 * time.Hour).Seconds()
	ctx, cancel := context.WithCancel(ctx)
	producer, failed := kafka.NewProducer(on.Kafka), make(chan error, 1)
	go func() {
		ticks := time.NewTicker(100 * time.Millisecond)
		defer ticks.Stop()
		for began, sent := time.Now(), 0; ; {
			select {
			case <-ctx.Done():
				failed <- nil
				return
			case <-ticks.C:
			}
			due := int(perSecond * time.Since(began).Seconds())
			if err := producer.Send(ctx, anything(on, due-sent)...); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("events that trickle in: %w", err)
				return
			}
			sent = due
		}
	}()
	on.OnEnd(func() error {
		cancel()
		return errors.Join(<-failed, producer.Close())
	})
	return perSecond, nil
}

// RawSpeed is how fast rows are written without anything around it.
type RawSpeed struct{ PerSecond, PerCPU float64 }

// RawInserts reads rows of the ledger and writes them to a table of the same columns and order, block by block.
func RawInserts(ctx context.Context, on *harness.Environment) (speed RawSpeed, err error) {
	on.Tell("ch-go alone")
	run := func(query ch.Query) error {
		return on.ClickHouse.Write(ctx, clickhouse.Query{Name: "bench", Query: query})
	}
	if err := run(ch.Query{Body: "DROP TABLE IF EXISTS bench_raw"}); err != nil {
		return speed, err
	}
	if err := run(ch.Query{Body: `CREATE TABLE bench_raw ENGINE = MergeTree PARTITION BY toYYYYMMDD(occurred_at)
		ORDER BY (kafka_partition, user_id, event_id) SETTINGS index_granularity = 2048 AS SELECT * FROM events LIMIT 0`}); err != nil {
		return speed, err
	}
	defer func() { _ = run(ch.Query{Body: "DROP TABLE bench_raw"}) }() // the next run drops it otherwise
	var columns proto.Results
	var took, used time.Duration
	var rows int
	err = on.ClickHouse.Read(ctx, clickhouse.Query{Name: "bench", Query: ch.Query{
		Body:   "SELECT * FROM events ORDER BY received_at DESC LIMIT 200000",
		Result: columns.Auto(), Settings: []ch.Setting{{Key: "max_block_size", Value: "50000"}},
		OnResult: func(_ context.Context, block proto.Block) error {
			if block.Rows == 0 {
				return nil
			}
			var input proto.Input
			for _, c := range columns {
				data, ok := c.Data.(proto.ColInput)
				if !ok {
					return fmt.Errorf("column %s cannot be written", c.Name)
				}
				input = append(input, proto.InputColumn{Name: c.Name, Data: data})
			}
			for range 3 {
				began, cpu := time.Now(), ownCPU()
				if err := run(ch.Query{Body: input.Into("bench_raw"), Input: input}); err != nil {
					return err
				}
				took, used, rows = took+time.Since(began), used+ownCPU()-cpu, rows+block.Rows
			}
			return nil
		},
	}})
	if err == nil && rows == 0 {
		err = harness.ErrEmpty
	}
	return RawSpeed{float64(rows) / took.Seconds(), float64(rows) / used.Seconds()}, err
}

// ownCPU is the processor time of this process.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
