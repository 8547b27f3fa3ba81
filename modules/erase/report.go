package erase

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// Report is what one run removed.
type Report struct {
	Users    []core.Key        `json:"users"`
	Rows     map[string]uint64 `json:"rows"`              // of ClickHouse, by table
	Days     int               `json:"days_recounted"`    // days of a Kafka partition
	Kept     int               `json:"days_kept"`         // days of a partition whose sums stay, because they cannot be recounted
	Buckets  uint64            `json:"buckets_recounted"` // hours of a post, and days of a user and an author
	Redis    int64             `json:"redis_keys"`        // keys, and places in lists
	Postgres int64             `json:"postgres_rows"`     // of our schema
	Again    bool              `json:"again"`             // all of them had been erased before
	Finished bool              `json:"finished"`
	// Topics tells until when Kafka may still hold records of theirs; filled in by whoever knows the topics.
	Topics []TopicEnd `json:"topics"`
}

// TopicEnd is a topic with how long it keeps a record; zero is the broker's default.
type TopicEnd struct {
	Topic string        `json:"topic"`
	Keeps time.Duration `json:"keeps_ns"`
}

func newReport(users []core.Key) Report { return Report{Users: users, Rows: map[string]uint64{}} }

// Print writes the report for people.
func (r Report) Print(out io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	switch {
	case !r.Finished:
		line("not finished: run the same command again, it goes on")
	case r.Again:
		line("erased before; looked again")
	default:
		line("erased: %d", len(r.Users))
	}
	for _, table := range tables() {
		if n := r.Rows[table]; n > 0 {
			line("  clickhouse %-18s %9d rows removed", table, n)
		}
	}
	line("  clickhouse %-18s %9d days of partitions recounted, %d buckets changed", "counts", r.Days, r.Buckets)
	if r.Kept > 0 {
		line("  clickhouse %-18s %9d days of partitions stay as anonymous sums: the raw events are no longer complete",
			"counts", r.Kept)
	}
	line("  redis      %-18s %9d removed; lists that were computed for others expire by themselves", "keys and places",
		r.Redis)
	line("  postgres   %-18s %9d changed or removed", "rows of our schema", r.Postgres)
	for _, t := range r.Topics {
		keeps := "as long as the broker's retention says"
		if t.Keeps > 0 {
			keeps = fmt.Sprintf("at most %s", t.Keeps)
		}
		line("  kafka      %-18s records stay %s; nothing of them is stored when they are read again", t.Topic, keeps)
	}
	line("  the app's own tables, and logs that were written, are yours to clear")
	_, err := io.WriteString(out, b.String())
	return err
}
