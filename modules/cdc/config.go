package cdc

import (
	"fmt"
	"time"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/cdc/source"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Config is everything that is set under cdc.
type Config struct {
	TopicPrefix string         `koanf:"topic_prefix" validate:"required,topic"` // topics are <kafka.topic_prefix><this>.<schema>.<table>
	Topics      TopicsConfig   `koanf:"topics"`
	Tables      mapping.Config `koanf:"tables"`
	Consumer    ConsumerConfig `koanf:"consumer"`
	Source      source.Config  `koanf:"source"`
	Resync      ResyncConfig   `koanf:"resync"`
}

// TopicsConfig says how topics are made that are missing.
type TopicsConfig struct {
	Partitions int32         `koanf:"partitions" validate:"gte=1,lte=1024"`
	Retention  time.Duration `koanf:"retention" validate:"gte=1h,lte=8760h"` // longer than any outage of the consumer
}

// ConsumerConfig sets the copying into ClickHouse.
type ConsumerConfig struct {
	Group        string        `koanf:"group" validate:"required,topic"`
	BatchRows    int           `koanf:"batch_rows" validate:"gte=1,lte=1000000"`             // records
	BatchBytes   int           `koanf:"batch_bytes" validate:"gte=1024,lte=268435456"`       // bytes of records
	QueueBytes   int           `koanf:"queue_bytes" validate:"gte=1024,lte=268435456"`       // of a partition, fetched while a batch is applied; beyond, fetching it pauses
	BatchAge     time.Duration `koanf:"batch_age" validate:"gte=1ms,lte=10s"`                // the first record of a batch waits no longer
	Inserts      int           `koanf:"inserts" validate:"gte=1,lte=64"`                     // batches written at once
	Deadline     time.Duration `koanf:"deadline" validate:"gte=1s,lte=10m"`                  // a batch that takes longer is begun anew
	TopicCheck   time.Duration `koanf:"topic_check" validate:"gte=1s,lte=1h"`                // how often to look whether a topic was made anew or grew
	OnLostOffset string        `koanf:"on_lost_offset" validate:"oneof=fail earliest"`       // when the log no longer has the next record
	OnForeign    string        `koanf:"on_foreign_format" validate:"oneof=wait dead_letter"` // when a connector writes what is no JSON; dead_letter: run resync after it
}

// DefaultConfig copies the example schema.
func DefaultConfig() Config {
	return Config{
		TopicPrefix: "cdc",
		Topics:      TopicsConfig{Partitions: 4, Retention: 7 * 24 * time.Hour},
		Tables:      mapping.Default(),
		Consumer: ConsumerConfig{
			Group: "cdc-consumer", BatchRows: 5000, BatchBytes: 8 << 20, QueueBytes: 4 << 20, BatchAge: 50 * time.Millisecond, Inserts: 4,
			Deadline: time.Minute, TopicCheck: 10 * time.Second, OnLostOffset: "fail", OnForeign: "wait",
		},
		Source: source.DefaultConfig(),
		Resync: DefaultResyncConfig(),
	}
}

// Check tells which settings do not fit each other; Tables has its own.
func (c Config) Check() map[string]string {
	wrong := map[string]string{}
	if c.Consumer.BatchAge >= c.Consumer.Deadline {
		wrong["consumer.batch_age"] = fmt.Sprintf("%s, want below consumer.deadline, which is %s", c.Consumer.BatchAge, c.Consumer.Deadline)
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
