package resync

import "time"

// Config sets the comparison that runs as a job.
type Config struct {
	Every         time.Duration `koanf:"every" validate:"gte=1m,lte=720h"`              // from the start of a comparison to the start of the next
	Repair        bool          `koanf:"repair"`                                        // send what sets the copies right
	RowsPerSecond int           `koanf:"rows_per_second" validate:"gte=0,lte=10000000"` // read of the app's tables, and a quarter of the time of ClickHouse; 0: as fast as it goes
	ChunkRows     int64         `koanf:"chunk_rows" validate:"gte=1,lte=10000000"`      // compared at a time; each takes about 100 bytes of memory
	Settle        time.Duration `koanf:"settle" validate:"gte=0s,lte=10m"`              // a difference must last so long
	Drain         time.Duration `koanf:"drain" validate:"gte=1s,lte=24h"`               // wait so long for changes that are on their way; who is later ends the run
	Timeout       time.Duration `koanf:"timeout" validate:"gte=1m,lte=720h"`            // of one run; the next goes on where it ended
}

// DefaultConfig compares every night, gently, and repairs.
func DefaultConfig() Config {
	return Config{
		Every: 24 * time.Hour, Repair: true, RowsPerSecond: 20_000, ChunkRows: 250_000,
		Settle: 10 * time.Second, Drain: 10 * time.Minute, Timeout: 12 * time.Hour,
	}
}
