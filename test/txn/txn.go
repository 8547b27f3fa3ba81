// Package txn writes to Kafka in transactions, as a connector with exactly-once delivery does: our own producer
// has none.
package txn

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Record is what is written.
type Record struct {
	Topic      string
	Partition  int32
	Key, Value []byte
}

// Send writes records in one transaction, which it ends, or takes back.
func Send(t testing.TB, brokers []string, commit bool, records ...Record) {
	t.Helper()
	ctx := context.Background()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.TransactionalID("test-"+uuid.NewString()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.BeginTransaction())
	for _, r := range records {
		require.NoError(t, client.ProduceSync(ctx, &kgo.Record{
			Topic: r.Topic, Partition: r.Partition, Key: r.Key,
			Value: r.Value,
		}).FirstErr())
	}
	require.NoError(t, client.Flush(ctx))
	require.NoError(t, client.EndTransaction(ctx, kgo.TransactionEndTry(commit)))
}
