package events

import (
	"fmt"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/dedup"
	"github.com/feedrank/feedrank/modules/events/ingest"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/events/partition"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Config is the events path: what the API accepts, the topic, and the consumer.
type Config struct {
	Topic           string             `koanf:"topic" validate:"topic"`                                // without kafka.topic_prefix
	Epoch           uint16             `koanf:"epoch" validate:"gte=1,lte=65535"`                      // counts the topics that have held events: one more for a new or a recreated one
	Partitions      int32              `koanf:"partitions" validate:"gte=1,lte=1024"`                  // of the topic; never changes within an epoch
	Retention       time.Duration      `koanf:"retention" validate:"gte=1h,lte=8760h"`                 // of the topic: how long a consumer may be away
	AcceptedAge     time.Duration      `koanf:"accepted_age" validate:"gte=1m,lte=720h"`               // how old an event may be when it arrives
	MaxDecompressed int64              `koanf:"max_decompressed_bytes" validate:"gte=1024"`            // of a gzip body
	ProduceTimeout  time.Duration      `koanf:"produce_timeout" validate:"gte=100ms,lte=1m"`           // until a request is answered 503
	OnLostOffsets   string             `koanf:"on_lost_offsets" validate:"oneof=fail earliest latest"` // what to do when Kafka deleted what was not read
	RequireSession  bool               `koanf:"require_session"`                                       // an impression counts only with a feed_session that was served to its user for its post, and once for each
	InsertTimeout   time.Duration      `koanf:"insert_timeout" validate:"gte=100ms,lte=10m"`           // then an insert is hung: it is ended and looked up
	Batch           partition.Batch    `koanf:"batch"`
	Dedup           dedup.Config       `koanf:"dedup"`
	Keys            core.KeyForms      `koanf:"-"` // what keys in events look like: the setting keys
	Bound           ingest.QuotaConfig `koanf:"bound"`
}

// DefaultConfig is the reference scale: 10M events a day.
func DefaultConfig() Config {
	log, api, c := codec.DefaultLog(), ingest.DefaultConfig(), partition.DefaultConfig()
	return Config{
		Topic: log.Topic, Epoch: log.Epoch, Partitions: log.Partitions, Retention: 72 * time.Hour,
		AcceptedAge:     log.AcceptedAge,
		MaxDecompressed: api.MaxDecompressed, ProduceTimeout: api.ProduceTimeout, Bound: ingest.DefaultQuota(),
		OnLostOffsets: c.OnLostOffsets, InsertTimeout: c.InsertTimeout, Batch: c.Batch, Dedup: c.Dedup,
	}
}

// Check tells which settings do not fit each other.
func (c Config) Check() map[string]string {
	wrong := map[string]string{}
	if c.AcceptedAge+c.Retention >= ledger.RawRetention {
		wrong["accepted_age"] = fmt.Sprintf("want accepted_age + retention below %s, the time that ClickHouse keeps raw events:"+
			" a copy that arrives later could not be recognised", ledger.RawRetention)
	}
	if c.Dedup.Window < 2*c.Batch.MaxRows {
		wrong["dedup.window"] = "want at least twice batch.max_rows: a copy in the same batch is found there"
	}
	if c.Batch.QueueBytes < c.Batch.MaxBytes {
		wrong["batch.queue_bytes"] = "want at least batch.max_bytes: a batch could not fill"
	}
	return wrong
}

// TopicSpecs are the topics of the events path, for `feedrank migrate`.
func TopicSpecs(cfg Config, kafkaConfig kafka.Config) []kafka.TopicSpec {
	return []kafka.TopicSpec{{Name: kafkaConfig.Topic(cfg.Topic), Partitions: cfg.Partitions, Retention: cfg.Retention}}
}

// Log is the topic as all who write and read it see it.
func (c Config) Log() codec.Log {
	return codec.Log{
		Topic: c.Topic, Epoch: c.Epoch, Partitions: c.Partitions, AcceptedAge: c.AcceptedAge, Keys: c.Keys,
	}
}

// Ingest is what the API needs of it.
func (c Config) Ingest() ingest.Config {
	return ingest.Config{Log: c.Log(), MaxDecompressed: c.MaxDecompressed, ProduceTimeout: c.ProduceTimeout}
}

// Consumer is what the consumer needs of it.
func (c Config) Consumer() partition.Config {
	return partition.Config{
		Log: c.Log(), OnLostOffsets: c.OnLostOffsets, RequireSession: c.RequireSession, InsertTimeout: c.InsertTimeout,
		Batch: c.Batch, Dedup: c.Dedup,
	}
}
