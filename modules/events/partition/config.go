package partition

import (
	"time"

	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/dedup"
)

// Config is what a consumer needs to know.
type Config struct {
	codec.Log
	OnLostOffsets  string // what to do when Kafka deleted what was not read: fail, earliest, latest
	RequireSession bool   // an impression counts only with a feed_session that was served to its user for its post
	InsertTimeout  time.Duration
	Batch          Batch
	Dedup          dedup.Config
}

// DefaultConfig is the reference scale: 10M events a day.
func DefaultConfig() Config {
	return Config{
		Log: codec.DefaultLog(), OnLostOffsets: "fail", InsertTimeout: 15 * time.Second,
		Batch: Batch{MaxRows: 50_000, MaxBytes: 16 << 20, MaxAge: 100 * time.Millisecond, QueueBytes: 32 << 20},
		Dedup: dedup.DefaultConfig(),
	}
}

// Batch says when a partition's batch is sealed: whichever bound is reached first.
type Batch struct {
	MaxRows    int           `koanf:"max_rows" validate:"gte=1,lte=500000"`
	MaxBytes   int64         `koanf:"max_bytes" validate:"gte=65536,lte=268435456"`    // of the records' values
	MaxAge     time.Duration `koanf:"max_age" validate:"gte=1ms,lte=10s"`              // since its first record
	QueueBytes int64         `koanf:"queue_bytes" validate:"gte=65536,lte=1073741824"` // fetched and waiting, for each partition; fetching pauses above
}
