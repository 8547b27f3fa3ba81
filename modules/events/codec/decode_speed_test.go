package codec

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/core"
)

// BenchmarkDecode is what reading a record costs.
func BenchmarkDecode(b *testing.B) {
	log := DefaultLog()
	rng := rand.New(rand.NewPCG(8, 1))
	records := make([]*sarama.ConsumerMessage, 130)
	for i := range records {
		e := core.Event{
			UserID: core.ID(1 + rng.IntN(50)), PostID: core.ID(1 + rng.IntN(30)), AuthorID: 7,
			Action:     core.Actions()[rng.IntN(10)],
			OccurredAt: time.Now().Add(-time.Duration(rng.Int64N(int64(60 * time.Hour)))), ReceivedAt: time.Now(),
			DwellMillis: uint32(1 + rng.IntN(100_000)), Device: "device 1", AppVersion: "1.2.3",
		}
		e.ID[0] = byte(1 + i)
		m := Record("events", e)
		key, _ := m.Key.Encode()
		value, _ := m.Value.Encode()
		records[i] = &sarama.ConsumerMessage{
			Key: key, Value: value, Timestamp: m.Timestamp,
			Partition: PartitionOf(key, log.Partitions),
		}
	}
	reader := NewDecoder(log)
	b.ReportAllocs()
	b.ResetTimer()
	var e Event
	for i := range b.N {
		reader.Decode(records[i%len(records)], &e)
	}
}
