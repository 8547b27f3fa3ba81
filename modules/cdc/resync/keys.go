package resync

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/schema"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// keyWriter writes the key of a record from the key of our copy.
type keyWriter struct {
	key  func(key string, texts schema.Texts) ([]byte, error)
	wide bool // the topic's records have wider keys, which ours cannot give: a repair may be in another partition
}

// keyWriter writes keys as the topic's own records have them, byte for byte, so that a repair goes to the
// partition of the row's changes: plain, or with a schema around it. A topic whose keys are written in
// another way is not repaired: a repair in another partition would have no order.
func (r *Resync) keyWriter(ctx context.Context, s *mapping.Source, t schema.AppTable) (keyWriter, error) {
	plain := t.RecordKey
	topic := r.Mapping.Topic(s.Table)
	sample, err := r.lastKey(ctx, topic)
	if err != nil || sample == nil {
		return keyWriter{key: plain}, err
	}
	write := plain
	var wrapped struct {
		Schema  json.RawMessage `json:"schema"`
		Payload json.RawMessage `json:"payload"`
	}
	if json.Unmarshal(sample, &wrapped) == nil && bytes.HasPrefix(wrapped.Schema, []byte("{")) &&
		bytes.HasPrefix(wrapped.Payload, []byte("{")) {
		write = func(key string, texts schema.Texts) ([]byte, error) {
			payload, err := plain(key, texts)
			return fmt.Appendf(nil, `{"schema":%s,"payload":%s}`, wrapped.Schema, payload), err
		}
	}
	if _, ok := envelope.StructKey(sample, []byte("{}")); ok {
		write = func(key string, texts schema.Texts) ([]byte, error) {
			object, err := plain(key, texts)
			text, _ := envelope.StructKey(sample, object)
			return text, err
		}
	}
	row, err := envelope.DecodeKey(sample)
	if err != nil {
		return keyWriter{}, fmt.Errorf("key of %s: %w", topic, err)
	}
	if s.Wide(row) {
		return keyWriter{key: plain, wide: true}, nil
	}
	known, err := s.Deleted(row)
	if err != nil {
		return keyWriter{}, fmt.Errorf("key of %s: %w", topic, err)
	}
	texts := schema.Texts{}
	texts.Note(known.Keys)
	ours, err := write(s.Kind.CopyKey(known), texts)
	if err != nil {
		return keyWriter{}, err
	}
	if !bytes.Equal(ours, sample) {
		return keyWriter{}, fmt.Errorf("%s is not repaired: its connector writes keys as %.300s, which we would write as %.300s, to another partition", topic, sample, ours)
	}
	return keyWriter{key: write}, nil
}

// named are the keys of those of a kind that are kept by their numbers.
func (r *Resync) named(ctx context.Context, k mapping.Kind, keys []string) (schema.Texts, error) {
	all := schema.Texts{}
	if !k.Layout().ByID {
		return all, nil
	}
	var ids []core.ID
	for _, key := range keys {
		if id := core.ID(k.KeyedRow(key).ID); id.Derived() {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return all, nil
	}
	known, err := r.texts(ctx, ids)
	if err != nil {
		return nil, err
	}
	maps.Copy(all, known)
	return all, nil
}

// recent is how many of a partition's last records are looked at for one that a connector wrote.
const recent = 200

// lastKey finds the key of a record that a connector wrote not long ago; nil if there is none.
func (r *Resync) lastKey(ctx context.Context, topic string) (key []byte, err error) {
	config, err := r.Kafka.Sarama()
	if err != nil {
		return nil, err
	}
	client, err := sarama.NewClient(r.Kafka.Brokers, config)
	if err != nil {
		return nil, fmt.Errorf("kafka connect: %w", err)
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, consumer.Close()) }()
	partitions, err := client.Partitions(topic)
	if err != nil {
		return nil, fmt.Errorf("partitions of %s: %w", topic, err)
	}
	for _, p := range partitions {
		if key, err = lastKeyOf(ctx, client, consumer, topic, p); key != nil || err != nil {
			return key, err
		}
	}
	return nil, nil
}

func lastKeyOf(ctx context.Context, client sarama.Client, consumer sarama.Consumer, topic string,
	partition int32,
) (key []byte, err error) {
	oldest, end, err := kafka.Bounds(client, topic, partition)
	if err != nil || oldest >= end {
		return nil, err
	}
	reader, err := consumer.ConsumePartition(topic, partition, max(oldest, end-recent))
	if err != nil {
		return nil, fmt.Errorf("read %s/%d: %w", topic, partition, err)
	}
	defer reader.AsyncClose()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	for {
		select {
		case m := <-reader.Messages():
			if len(m.Key) > 0 && !kafka.HasHeader(m, envelope.HeaderRepair) {
				key = m.Key
			}
			if m.Offset >= end-1 {
				return key, nil
			}
		case <-limit.C: // the last ones were compacted away
			return key, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
