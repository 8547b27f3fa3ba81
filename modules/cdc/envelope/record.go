package envelope

import "time"

// Op says what happened to a row.
type Op byte

// The operations. Their letters are Debezium's.
const (
	Create   Op = 'c'
	Update   Op = 'u'
	Delete   Op = 'd'
	Read     Op = 'r' // the row as a snapshot found it
	Truncate Op = 't'
	Message  Op = 'm' // pg_logical_emit_message: no row at all
)

// String is the operation's letter.
func (o Op) String() string { return string(rune(o)) }

// The headers of a change of a primary key: the delete of the old row names the new key, the create
// of the new row names the old one.
const (
	HeaderNewKey = "__debezium.newkey"
	HeaderOldKey = "__debezium.oldkey"
)

// HeaderShortened is our source's: the row was too large for a message, and its unavailable values are not
// unchanged ones but left out.
const HeaderShortened = "feedrank.shortened"

// The headers of what a comparison with the app's table sends.
const (
	// HeaderRepair marks a record that sets a row right: it counts only if the copy still has this version.
	HeaderRepair = "feedrank.repair"
	// HeaderAsk marks one whose row has no order in the log: the consumer asks what it is now.
	HeaderAsk = "feedrank.ask"
)

// Unavailable stands for a large value that an update did not touch and that PostgreSQL therefore
// did not log. It is never a value.
const Unavailable = "__debezium_unavailable_value"

// Record is one change.
type Record struct {
	Key       Row // the primary key; empty for a truncate and a message
	Tombstone bool
	Op        Op
	Before    Row // at best the key alone: under the default replica identity all else is made up
	After     Row
	Source    Source
	At        time.Time // when the connector read it
}

// Source is where and when the change was made.
type Source struct {
	Schema         string
	Table          string
	LSN            uint64 // where the change was written; not the order of the stream
	TxID           int64
	CommittedAt    time.Time
	Snapshot       Snapshot
	StreamPosition StreamPosition
	System         uint64          // the database cluster's identity, where the source tells it: ours does
	Timeline       uint32          // of its log, where the source tells it: a standby that takes over begins one
	Times          map[string]Unit // what numbers in time columns count, where the source tells it: ours does
	LeaderEpoch    uint64          // the number of our source's leader, which grows with each; zero: not ours
}

// Snapshot says whether a record is of a snapshot, and of which kind.
type Snapshot uint8

// The kinds.
const (
	Streaming   Snapshot = iota // no snapshot
	Initial                     // true, first, last and the like
	Incremental                 // a chunk read between watermarks while changes stream
)
