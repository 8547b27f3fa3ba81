package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/consumer"
	"github.com/feedrank/feedrank/modules/events/importer"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// ImportEvents brings events of the past from files into the topic of events. Options say which files, and how they are
// read; where they go is said here. A dry run needs no server.
func ImportEvents(ctx context.Context, cfg config.Config, o importer.Options, d importer.Deps,
) (report importer.Report, err error) {
	cfg = cfg.WithKeyForms()
	brokers := slices.Sorted(slices.Values(cfg.Kafka.Brokers))
	o.Log, o.Topic, o.Into = cfg.Events.Log(), cfg.Kafka.Topic(cfg.Events.Topic), strings.Join(brokers, ",")
	d.Clock = core.SystemClock{}
	if o.DryRun {
		return importer.Run(ctx, o, d)
	}
	producer := kafka.NewProducer(cfg.Kafka)
	defer func() { err = errors.Join(err, producer.Close()) }()
	d.Producer = producer
	err = kafka.WithOffsetReader(cfg.Kafka, func(r kafka.OffsetReader) error {
		d.Lag = func(context.Context) (int64, error) { return eventsLag(r, o.Topic) }
		var err error
		report, err = importer.Run(ctx, o, d)
		return err
	})
	return report, err
}

// eventsLag counts the records of the topic of events that its consumers have not applied.
func eventsLag(r kafka.OffsetReader, topic string) (lag int64, err error) {
	n, err := r.Partitions(topic)
	if err != nil {
		return 0, err
	}
	partitions := make([]int32, n)
	for p := range partitions {
		partitions[p] = int32(p)
	}
	found, err := r.Offsets(consumer.Group, map[string][]int32{topic: partitions})
	if err != nil {
		return 0, fmt.Errorf("lag: %w", err)
	}
	for _, at := range found[topic] {
		lag += at.Newest - max(at.Committed, at.Oldest)
	}
	return lag, nil
}
