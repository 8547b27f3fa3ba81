package kafka

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/IBM/sarama"
)

// Topic is a topic as Kafka describes it now.
type Topic struct {
	ID   string  // empty where the broker gives none
	Ends []int64 // the next offset of each partition
}

// Offsets are where a partition stands and where it was consumed to.
type Offsets struct {
	Committed int64  // the next record; negative: none was committed
	Metadata  string // as it was committed
	Oldest    int64
	Newest    int64 // the next to be written
}

// TopicOffsets is what Kafka says of topics at one moment.
type TopicOffsets struct {
	Topics     map[string]Topic
	Partitions map[string]map[int32]Offsets
}

// OffsetReader asks Kafka about the logs of topics, on a connection of its own.
type OffsetReader struct {
	client sarama.Client
	admin  sarama.ClusterAdmin
	cfg    Config
}

// WithOffsetReader gives f a reader, and closes its connection afterwards.
func WithOffsetReader(k Config, f func(OffsetReader) error) (err error) {
	client, admin, err := k.admin()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Close()) }() // closes the client too
	return f(OffsetReader{client: client, admin: admin, cfg: k})
}

// Partitions counts a topic's partitions.
func (r OffsetReader) Partitions(topic string) (int, error) {
	ids, err := r.client.Partitions(topic)
	if err != nil {
		return 0, fmt.Errorf("partitions of %s: %w", topic, err)
	}
	return len(ids), nil
}

// End is the offset after a partition's last record that is committed.
func (r OffsetReader) End(topic string, partition int32) (int64, error) {
	_, end, err := Bounds(r.client, topic, partition)
	if err != nil {
		return 0, fmt.Errorf("end of %s/%d: %w", topic, partition, err)
	}
	return end, nil
}

// Offsets asks where partitions stand, and a group in them. Other partitions of the topics may be out of reach.
func (r OffsetReader) Offsets(group string, partitions map[string][]int32) (map[string]map[int32]Offsets, error) {
	committed, err := r.admin.ListConsumerGroupOffsets(r.cfg.Topic(group), partitions)
	if errors.Is(err, sarama.ErrGroupIDNotFound) { // no consumer has ever joined
		committed, err = &sarama.OffsetFetchResponse{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("kafka committed offsets: %w", err)
	}
	all := map[string]map[int32]Offsets{}
	for topic, ids := range partitions {
		all[topic] = map[int32]Offsets{}
		for _, p := range ids {
			at := Offsets{Committed: -1}
			if at.Oldest, err = r.client.GetOffset(topic, p, sarama.OffsetOldest); err != nil {
				return nil, fmt.Errorf("oldest offset of %s/%d: %w", topic, p, err)
			}
			if at.Newest, err = r.newest(topic, p); err != nil {
				return nil, err
			}
			if block := committed.GetBlock(topic, p); block != nil && block.Offset >= 0 {
				at.Committed, at.Metadata = block.Offset, block.Metadata
			}
			all[topic][p] = at
		}
	}
	return all, nil
}

func (r OffsetReader) newest(topic string, partition int32) (int64, error) {
	newest, err := r.client.GetOffset(topic, partition, sarama.OffsetNewest)
	if err != nil {
		return 0, fmt.Errorf("newest offset of %s/%d: %w", topic, partition, err)
	}
	return newest, nil
}

// describe asks for the identity and the ends of topics.
func (r OffsetReader) describe(topics []string) (map[string]Topic, error) {
	found, err := r.admin.DescribeTopics(topics)
	if err != nil {
		return nil, fmt.Errorf("kafka describe topics: %w", err)
	}
	states := map[string]Topic{}
	for _, t := range found {
		if !errors.Is(t.Err, sarama.ErrNoError) {
			return nil, fmt.Errorf("kafka describe topic %s: %w", t.Name, t.Err)
		}
		state := Topic{Ends: make([]int64, len(t.Partitions))}
		if t.Uuid != (sarama.Uuid{}) {
			state.ID = hex.EncodeToString(t.Uuid[:])
		}
		for p := range t.Partitions {
			if state.Ends[p], err = r.newest(t.Name, int32(p)); err != nil {
				return nil, err
			}
		}
		states[t.Name] = state
	}
	return states, nil
}

// ReadTopicOffsets asks where the claimed partitions of some topics stand, and a group in them; a topic without any
// is asked of whole.
func ReadTopicOffsets(k Config, group string, claims map[string][]int32) (read TopicOffsets, err error) {
	err = WithOffsetReader(k, func(r OffsetReader) error {
		read.Topics, err = r.describe(slices.AppendSeq(make([]string, 0, len(claims)), maps.Keys(claims)))
		if err != nil {
			return err
		}
		claims = maps.Clone(claims)
		for topic, partitions := range claims {
			if len(partitions) == 0 {
				for p := range read.Topics[topic].Ends {
					claims[topic] = append(claims[topic], int32(p))
				}
			}
		}
		read.Partitions, err = r.Offsets(group, claims)
		return err
	})
	return read, err
}

// DescribeTopics asks for the identity and the ends of topics.
func DescribeTopics(k Config, topics []string) (found map[string]Topic, err error) {
	err = WithOffsetReader(k, func(r OffsetReader) error {
		found, err = r.describe(topics)
		return err
	})
	return found, err
}

// admin connects. Closing the admin closes the client too.
func (c Config) admin() (sarama.Client, sarama.ClusterAdmin, error) {
	config, err := c.Sarama()
	if err != nil {
		return nil, nil, err
	}
	client, err := sarama.NewClient(c.Brokers, config)
	if err != nil {
		return nil, nil, fmt.Errorf("kafka connect: %w", err)
	}
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	return client, admin, nil
}

// HasHeader tells whether a record carries a header of this name.
func HasHeader(m *sarama.ConsumerMessage, name string) bool {
	return slices.ContainsFunc(m.Headers, func(h *sarama.RecordHeader) bool { return string(h.Key) == name })
}
