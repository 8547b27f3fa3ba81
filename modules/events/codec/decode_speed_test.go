package codec

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
)

// BenchmarkDecode is what reading a record costs.
func BenchmarkDecode(b *testing.B) {
	for _, form := range []core.KeyForm{core.IntegerKeys, core.UUIDKeys} {
		b.Run(string(form), func(b *testing.B) { decodes(b, form) })
	}
}

func decodes(b *testing.B, form core.KeyForm) {
	key := func(n int) core.Key {
		text := strconv.Itoa(n)
		if form == core.UUIDKeys {
			text = uuid.NewSHA1(uuid.Nil, []byte{byte(n)}).String()
		}
		key, err := form.Parse(text)
		require.NoError(b, err)
		return key
	}
	log := DefaultLog()
	log.Keys = core.KeyForms{Users: form, Posts: form}
	rng := rand.New(rand.NewPCG(8, 1))
	records := make([]*sarama.ConsumerMessage, 130)
	for i := range records {
		user, post, author := key(1+rng.IntN(50)), key(1+rng.IntN(30)), key(7)
		e := core.Event{
			UserID: user.ID, PostID: post.ID, AuthorID: author.ID,
			Action:     core.Actions()[rng.IntN(10)],
			OccurredAt: time.Now().Add(-time.Duration(rng.Int64N(int64(60 * time.Hour)))), ReceivedAt: time.Now(),
			DwellMillis: uint32(1 + rng.IntN(100_000)), Device: "device 1", AppVersion: "1.2.3",
		}
		e.ID[0] = byte(1 + i)
		own := FromCore(&e)
		own.SetKeys(user, post, author)
		m := Encode("events", &own)
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
	b.StopTimer()
	require.Equal(b, core.EventID{byte(1 + (b.N-1)%len(records))}, e.ID, "it was read")
}
