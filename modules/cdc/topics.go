package cdc

import "github.com/feedrank/feedrank/modules/platform/kafka"

// TopicSpecs are the topics that the changes travel through. What cannot be read goes to dead_letter.cdc_topic, which
// is made with the other queues.
func TopicSpecs(c Config, k kafka.Config) ([]kafka.TopicSpec, error) {
	m, err := c.Mapping(k)
	if err != nil {
		return nil, err
	}
	var all []kafka.TopicSpec
	for _, topic := range m.Topics() {
		all = append(all, kafka.TopicSpec{Name: topic, Partitions: c.Topics.Partitions, Retention: c.Topics.Retention})
	}
	return all, nil
}
