package cdc_test

import (
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/tables"
	"github.com/feedrank/feedrank/test/wait"
)

func TestATombstoneWritesNothing(t *testing.T) {
	c := newChain(t)
	c.makeTopics()
	c.startConsumer()
	d, now := c.connector(), time.Now()
	tombstone := func(id string) {
		_, _, err := d.producer.SendMessage(&sarama.ProducerMessage{Topic: d.prefix + "users", Partition: 0, Key: sarama.StringEncoder(`{"id":` + id + `}`)})
		require.NoError(t, err)
	}
	tombstone("1")
	d.send("users", 0, `{"id":2}`, "c", user(2, "stands"), at{100, 110, now, "", 0})
	tombstone("2") // of an older life of the key, which the topic has not compacted yet
	d.settled(c, 1)
	require.Equal(t, []string{"2 stands"}, c.names())
	lines, err := tables.Copies(t.Context(), c.ClickHouse, "SELECT toString(id) AS line FROM users WHERE id IN (1, 2)")
	require.NoError(t, err)
	require.Equal(t, []string{"2"}, lines, "no row, deleted or not")
	wait.Until(t, func() bool { return gauge(t, c.reg, "tombstones_total", "public.users") == 2 })
}
