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

// ReadTopicOffsets asks where the claimed partitions of some topics stand, and a group in them; a topic without any
// is asked of whole.
func ReadTopicOffsets(k Config, group string, claims map[string][]int32) (read TopicOffsets, err error) {
	client, admin, err := k.admin()
	if err != nil {
		return read, err
	}
	defer func() { err = errors.Join(err, admin.Close()) }() // closes the client too
	read.Topics, err = describe(client, admin, slices.AppendSeq(make([]string, 0, len(claims)), maps.Keys(claims)))
	if err != nil {
		return read, err
	}
	claims = maps.Clone(claims)
	for topic, partitions := range claims {
		if len(partitions) == 0 {
			for p := range read.Topics[topic].Ends {
				claims[topic] = append(claims[topic], int32(p))
			}
		}
	}
	committed, err := admin.ListConsumerGroupOffsets(k.Topic(group), claims)
	if errors.Is(err, sarama.ErrGroupIDNotFound) { // no consumer has ever joined
		committed, err = &sarama.OffsetFetchResponse{}, nil
	}
	if err != nil {
		return read, fmt.Errorf("kafka committed offsets: %w", err)
	}
	read.Partitions = map[string]map[int32]Offsets{}
	for topic, partitions := range claims {
		read.Partitions[topic] = map[int32]Offsets{}
		for _, p := range partitions {
			at := Offsets{Committed: -1, Newest: read.Topics[topic].Ends[p]}
			if at.Oldest, err = client.GetOffset(topic, p, sarama.OffsetOldest); err != nil {
				return read, fmt.Errorf("oldest offset of %s/%d: %w", topic, p, err)
			}
			if block := committed.GetBlock(topic, p); block != nil && block.Offset >= 0 {
				at.Committed, at.Metadata = block.Offset, block.Metadata
			}
			read.Partitions[topic][p] = at
		}
	}
	return read, nil
}

// DescribeTopics asks for the identity and the ends of topics.
func DescribeTopics(k Config, topics []string) (found map[string]Topic, err error) {
	client, admin, err := k.admin()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, admin.Close()) }() // closes the client too
	return describe(client, admin, topics)
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

// describe asks for the identity and the ends of topics.
func describe(client sarama.Client, admin sarama.ClusterAdmin, topics []string) (map[string]Topic, error) {
	found, err := admin.DescribeTopics(topics)
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
			if state.Ends[p], err = client.GetOffset(t.Name, int32(p), sarama.OffsetNewest); err != nil {
				return nil, fmt.Errorf("newest offset of %s/%d: %w", t.Name, p, err)
			}
		}
		states[t.Name] = state
	}
	return states, nil
}

// HasHeader tells whether a record carries a header of this name.
func HasHeader(m *sarama.ConsumerMessage, name string) bool {
	return slices.ContainsFunc(m.Headers, func(h *sarama.RecordHeader) bool { return string(h.Key) == name })
}
