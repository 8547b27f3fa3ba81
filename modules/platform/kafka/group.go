package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/IBM/sarama"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// RunGroup is a member of a consumer group until ctx ends. It joins again, with a growing pause,
// after whatever ends a session. A handler that must not go on says so with ErrStop.
func RunGroup(ctx context.Context, cfg Config, group string, topics []string, handler sarama.ConsumerGroupHandler,
	clock core.Clock, log *zap.Logger,
) error {
	log = log.With(zap.String("group", group))
	pause := reconnect()
	for ctx.Err() == nil {
		err := member(ctx, cfg, group, topics, handler, clock, &pause, log)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, ErrStop):
			return err
		case err != nil:
			log.Warn("consumer group session ended", zap.Error(err), zap.Duration("retry_in", pause.Next()))
			_ = pause.Wait(ctx) // the loop looks at ctx next
		}
	}
	return ctx.Err()
}

// ErrStop ends RunGroup when a handler's Setup returns or wraps it.
var ErrStop = errors.New("consumer must stop")

// Joiner is a handler that wants the group's client, to pause and resume single partitions, and what passes
// offsets without a record. It is given them before each session that has a new client.
type Joiner interface {
	Joined(group sarama.ConsumerGroup, markers *Markers)
}

func member(ctx context.Context, cfg Config, group string, topics []string, handler sarama.ConsumerGroupHandler,
	clock core.Clock, pause *worker.Backoff, log *zap.Logger,
) error {
	config, err := cfg.Sarama()
	if err != nil {
		return errors.Join(ErrStop, err)
	}
	client, err := sarama.NewClient(cfg.Brokers, config)
	if err != nil {
		return err
	}
	markers := &Markers{client: client}
	defer func() {
		if err := client.Close(); err != nil {
			log.Warn("close the consumer's client", zap.Error(err))
		}
		markers.workers.Wait() // one that waits for an answer ends with the connection
	}()
	consumer, err := sarama.NewConsumerGroupFromClient(cfg.Topic(group), client)
	if err != nil {
		return err
	}
	if joiner, ok := handler.(Joiner); ok {
		joiner.Joined(consumer, markers)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for err := range consumer.Errors() {
			log.Warn("consumer group", zap.Error(err))
		}
	}()
	defer func() {
		if err := consumer.Close(); err != nil {
			log.Warn("leave the consumer group", zap.Error(err))
		}
		<-drained
	}()
	for ctx.Err() == nil {
		started := clock.Now()
		if err := consumer.Consume(ctx, topics, handler); err != nil {
			return err
		}
		if clock.Now().Sub(started) > cfg.SessionTimeout {
			pause.Reset()
		}
	}
	return nil
}

// reconnect is what is waited between two tries to reach Kafka.
func reconnect() worker.Backoff {
	return worker.Backoff{Least: 100 * time.Millisecond, Most: 5 * time.Second}
}
