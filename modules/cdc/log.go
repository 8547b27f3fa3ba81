package cdc

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// logView is what Kafka says of our topics at one moment.
type logView struct {
	topics    map[string]topicState
	positions map[string]map[int32]position
}

// position is where a partition stands and where it was consumed to.
type position struct {
	committed int64 // the next record; negative: none was committed
	mark      mark  // as it was committed
	oldest    int64
	newest    int64 // the next to be written
}

// openLog asks where the claimed partitions of some topics stand; a topic without any is asked of whole.
func openLog(k kafka.Config, group string, claims map[string][]int32) (view logView, err error) {
	config, err := k.Sarama()
	if err != nil {
		return view, err
	}
	client, err := sarama.NewClient(k.Brokers, config)
	if err != nil {
		return view, fmt.Errorf("kafka connect: %w", err)
	}
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		return view, errors.Join(err, client.Close())
	}
	defer func() { err = errors.Join(err, admin.Close()) }() // closes the client too
	names := make([]string, 0, len(claims))
	for topic := range claims {
		names = append(names, topic)
	}
	view.topics, err = describe(client, admin, names)
	if err != nil {
		return view, err
	}
	claims = maps.Clone(claims)
	for topic, partitions := range claims {
		if len(partitions) == 0 {
			for p := range view.topics[topic].ends {
				claims[topic] = append(claims[topic], int32(p))
			}
		}
	}
	committed, err := admin.ListConsumerGroupOffsets(k.Topic(group), claims)
	if errors.Is(err, sarama.ErrGroupIDNotFound) { // no consumer has ever joined
		committed, err = &sarama.OffsetFetchResponse{}, nil
	}
	if err != nil {
		return view, fmt.Errorf("kafka committed offsets: %w", err)
	}
	view.positions = map[string]map[int32]position{}
	for topic, partitions := range claims {
		view.positions[topic] = map[int32]position{}
		for _, p := range partitions {
			at := position{committed: -1, newest: view.topics[topic].ends[p]}
			if at.oldest, err = client.GetOffset(topic, p, sarama.OffsetOldest); err != nil {
				return view, fmt.Errorf("oldest offset of %s/%d: %w", topic, p, err)
			}
			if block := committed.GetBlock(topic, p); block != nil && block.Offset >= 0 {
				at.committed, at.mark = block.Offset, parseMark(block.Metadata)
			}
			view.positions[topic][p] = at
		}
	}
	return view, nil
}

// describe asks for the identity and the ends of topics.
func describe(client sarama.Client, admin sarama.ClusterAdmin, topics []string) (map[string]topicState, error) {
	found, err := admin.DescribeTopics(topics)
	if err != nil {
		return nil, fmt.Errorf("kafka describe topics: %w", err)
	}
	states := map[string]topicState{}
	for _, t := range found {
		if !errors.Is(t.Err, sarama.ErrNoError) {
			return nil, fmt.Errorf("kafka describe topic %s: %w", t.Name, t.Err)
		}
		state := topicState{ends: make([]int64, len(t.Partitions))}
		if t.Uuid != (sarama.Uuid{}) {
			state.id = hex.EncodeToString(t.Uuid[:])
		}
		for p := range t.Partitions {
			if state.ends[p], err = client.GetOffset(t.Name, int32(p), sarama.OffsetNewest); err != nil {
				return nil, fmt.Errorf("newest offset of %s/%d: %w", t.Name, p, err)
			}
		}
		states[t.Name] = state
	}
	return states, nil
}
