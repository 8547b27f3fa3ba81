package source

import "time"

// Config sets the built-in PostgreSQL source.
type Config struct {
	Slot              string        `koanf:"slot" validate:"required,identifier"`            // of logical replication; made if it is missing
	Publication       string        `koanf:"publication" validate:"required,identifier"`     // made if it is missing, with the mapped tables
	SnapshotRows      int           `koanf:"snapshot_rows" validate:"gte=1,lte=1000000"`     // rows of a chunk
	MaxInFlight       int           `koanf:"max_in_flight" validate:"gte=1,lte=1000000"`     // records that Kafka has not acknowledged
	MaxInFlightBytes  int           `koanf:"max_in_flight_bytes" validate:"gte=65536"`       // bytes of them
	Linger            time.Duration `koanf:"linger" validate:"gte=0,lte=1s"`                 // a record waits so long for company
	HeartbeatInterval time.Duration `koanf:"heartbeat_interval" validate:"gte=100ms,lte=1h"` // a row is written so often, so that an idle database moves on
	LeadTimeout       time.Duration `koanf:"lead_timeout" validate:"gte=1s,lte=5m"`          // a leader that is silent for so long is replaced; PostgreSQL watches it
	StatusInterval    time.Duration `koanf:"status_interval" validate:"gte=50ms,lte=30s"`    // the confirmed position is told so often; below wal_sender_timeout
	MaxBackoff        time.Duration `koanf:"max_backoff" validate:"gte=100ms,lte=5m"`        // the longest pause before connecting again
	WALWarnBytes      int64         `koanf:"wal_warn_bytes" validate:"gte=0"`                // warn when the slot holds back more; 0: never
	TableCheck        time.Duration `koanf:"table_check" validate:"gte=100ms,lte=1m"`        // how often to look whether the tables are still the ones that are read, and published
	PublishColumns    string        `koanf:"publish_columns" validate:"oneof=mapped all"`    // what the publication names, from PostgreSQL 15 on; with mapped, ALTER TABLE refuses to drop or retype these columns until they leave it, and updates fail under REPLICA IDENTITY FULL until it is noticed
	OnLostSlot        string        `koanf:"on_lost_slot" validate:"oneof=fail resync"`      // when the slot or its publication is gone although a snapshot was taken with it
}

// DefaultConfig is the source with names that say whose they are.
func DefaultConfig() Config {
	return Config{
		Slot: "feedrank", Publication: "feedrank", SnapshotRows: 5000, MaxInFlight: 20000, MaxInFlightBytes: 32 << 20,
		Linger: 2 * time.Millisecond, HeartbeatInterval: 10 * time.Second, LeadTimeout: 10 * time.Second,
		StatusInterval: time.Second, MaxBackoff: 10 * time.Second,
		WALWarnBytes: 1 << 30, TableCheck: 10 * time.Second, PublishColumns: "mapped", OnLostSlot: "fail",
	}
}
