package main

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/platform/worker"
)

// numberHeader says which record of the stream a record of the log is.
const numberHeader = "chaos-number"

// producer writes the stream. It writes again what was not acknowledged, as a client would: so a
// record may stand in the log twice, and only the log itself says where.
type producer struct {
	brokers    []string
	topic      string
	partitions int32
	stream     *stream
	sent       atomic.Int64
}

// chunk is how many records are sent in one go.
const chunk = 250

// run sends everything. allowed says how many records may be sent by now.
func (p *producer) run(ctx context.Context, allowed func() int) error {
	cfg := sarama.NewConfig()
	cfg.Version = sarama.V3_6_0_0
	cfg.Producer.RequiredAcks = sarama.WaitForAll
	cfg.Producer.Return.Successes = true
	cfg.Producer.Partitioner = sarama.NewManualPartitioner
	cfg.Producer.MaxMessageBytes = 4 << 20
	cfg.Producer.Compression = sarama.CompressionLZ4
	cfg.Net.MaxOpenRequests = 1
	cfg.Net.DialTimeout, cfg.Net.ReadTimeout, cfg.Net.WriteTimeout = 2*time.Second, 5*time.Second, 5*time.Second
	inner, err := sarama.NewSyncProducer(p.brokers, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = inner.Close() }() // everything is acknowledged
	for from := int(p.sent.Load()); from < len(p.stream.records); {
		most := min(allowed(), len(p.stream.records), from+chunk)
		if most <= from {
			if err := worker.Pause(ctx, 5*time.Millisecond); err != nil {
				return err
			}
			continue
		}
		if err := p.send(ctx, inner, from, most); err != nil {
			return err
		}
		from = most
		p.sent.Store(int64(from))
	}
	return nil
}

func (p *producer) send(ctx context.Context, inner sarama.SyncProducer, from, to int) error {
	var messages []*sarama.ProducerMessage
	for n := from; n < to; n++ {
		messages = append(messages, p.message(n))
	}
	for {
		err := inner.SendMessages(messages)
		if err == nil {
			return nil
		}
		var each sarama.ProducerErrors
		if !errors.As(err, &each) {
			return err
		}
		messages = messages[:0]
		for _, failed := range each {
			n, ok := failed.Msg.Metadata.(int)
			if !ok {
				return failed.Err
			}
			messages = append(messages, p.message(n))
		}
		if err := worker.Pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

func (p *producer) message(n int) *sarama.ProducerMessage {
	now := time.Now()
	partition, key, value := p.stream.message(n, p.partitions, now)
	m := &sarama.ProducerMessage{
		Topic: p.topic, Partition: partition, Key: sarama.ByteEncoder(key), Timestamp: now, Metadata: n,
		Headers: []sarama.RecordHeader{{Key: []byte(numberHeader), Value: strconv.AppendInt(nil, int64(n), 10)}},
	}
	if value != nil {
		m.Value = sarama.ByteEncoder(value)
	}
	return m
}
