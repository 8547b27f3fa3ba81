package cdc

import "github.com/feedrank/feedrank/modules/platform/kafka"

// DeadLetterTopic is the topic, without kafka.topic_prefix, of records that could not be read.
const DeadLetterTopic = "cdc.dlq"

// TopicSpecs are the topics that the changes travel through.
func TopicSpecs(c Config, k kafka.Config) ([]kafka.TopicSpec, error) {
	m, err := c.Mapping(k)
	if err != nil {
		return nil, err
	}
	var all []kafka.TopicSpec
	for _, topic := range m.Topics() {
		all = append(all, kafka.TopicSpec{Name: topic, Partitions: c.Topics.Partitions, Retention: c.Topics.Retention})
	}
	return append(all, kafka.TopicSpec{Name: k.Topic(DeadLetterTopic), Partitions: 1, Retention: 4 * c.Topics.Retention}), nil
}
