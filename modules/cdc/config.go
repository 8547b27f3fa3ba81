package cdc

import (
	"fmt"
	"time"

	"github.com/feedrank/feedrank/modules/cdc/consumer"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/resync"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Config is everything that is set under cdc.
type Config struct {
	TopicPrefix string          `koanf:"topic_prefix" validate:"required,topic"` // topics are <kafka.topic_prefix><this>.<schema>.<table>
	Topics      TopicsConfig    `koanf:"topics"`
	Tables      mapping.Config  `koanf:"tables"`
	Consumer    consumer.Config `koanf:"consumer"`
	Source      source.Config   `koanf:"source"`
	Resync      resync.Config   `koanf:"resync"`
}

// TopicsConfig says how topics are made that are missing.
type TopicsConfig struct {
	Partitions int32         `koanf:"partitions" validate:"gte=1,lte=1024"`
	Retention  time.Duration `koanf:"retention" validate:"gte=1h,lte=8760h"` // longer than any outage of the consumer
}

// DefaultConfig copies the example schema.
func DefaultConfig() Config {
	return Config{
		TopicPrefix: "cdc",
		Topics:      TopicsConfig{Partitions: 4, Retention: 7 * 24 * time.Hour},
		Tables:      mapping.Default(),
		Consumer:    consumer.DefaultConfig(),
		Source:      source.DefaultConfig(),
		Resync:      resync.DefaultConfig(),
	}
}

// Check tells which settings do not fit each other; Tables has its own.
func (c Config) Check() map[string]string {
	wrong := map[string]string{}
	if c.Consumer.BatchAge >= c.Consumer.Deadline {
		wrong["consumer.batch_age"] = fmt.Sprintf("%s, want below consumer.deadline, which is %s", c.Consumer.BatchAge,
			c.Consumer.Deadline)
	}
	if c.Resync.Timeout < 2*c.Resync.Settle {
		wrong["resync.timeout"] = "want at least twice cdc.resync.settle"
	}
	return wrong
}

// Mapping is the configured mapping with its topics' full names.
func (c Config) Mapping(k kafka.Config) (*mapping.Mapping, error) {
	return mapping.New(c.Tables, k.Topic(c.TopicPrefix))
}

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
