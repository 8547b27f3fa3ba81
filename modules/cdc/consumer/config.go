package consumer

import "time"

// Config sets the copying into ClickHouse.
type Config struct {
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

// DefaultConfig applies batches of a few thousand records, four at once.
func DefaultConfig() Config {
	return Config{
		Group: "cdc-consumer", BatchRows: 5000, BatchBytes: 8 << 20, QueueBytes: 4 << 20,
		BatchAge: 50 * time.Millisecond, Inserts: 4,
		Deadline: time.Minute, TopicCheck: 10 * time.Second, OnLostOffset: "fail", OnForeign: "wait",
	}
}
