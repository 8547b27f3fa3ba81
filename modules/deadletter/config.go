package deadletter

import (
	"time"

	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Config names the queues.
type Config struct {
	EventsTopic string        `koanf:"events_topic" validate:"topic"` // without kafka.topic_prefix
	CDCTopic    string        `koanf:"cdc_topic" validate:"topic"`
	Retention   time.Duration `koanf:"retention" validate:"gte=1h,lte=8760h"` // how long a letter is kept
}

// DefaultConfig keeps letters as long as ClickHouse keeps raw events.
func DefaultConfig() Config {
	return Config{EventsTopic: "events.dlq", CDCTopic: "cdc.dlq", Retention: 30 * 24 * time.Hour}
}

// TopicSpecs are the queues' topics, for `feedrank migrate`. One partition each: letters are few, and
// are read in their order.
func TopicSpecs(cfg Config, kafkaConfig kafka.Config) []kafka.TopicSpec {
	return []kafka.TopicSpec{
		{Name: kafkaConfig.Topic(cfg.EventsTopic), Partitions: 1, Retention: cfg.Retention},
		{Name: kafkaConfig.Topic(cfg.CDCTopic), Partitions: 1, Retention: cfg.Retention},
	}
}
