package cdc_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/txn"
	"github.com/feedrank/feedrank/test/wait"
)

func named(id int) string { return user(id, fmt.Sprint("user ", id)) }

// userRecord is a record of users as Debezium writes it.
func (c *chain) userRecord(partition int32, key, op string, id int, lsn uint64) txn.Record {
	after := named(id)
	if op == "d" {
		after = "null"
	}
	return txn.Record{
		Topic: c.KafkaConfig.TopicPrefix + "cdc.public.users", Partition: partition, Key: []byte(key),
		Value: fmt.Appendf(nil,
			`{"before":null,"after":%s,"source":{"ts_ms":%d,"snapshot":"false","db":"app","sequence":"[\"%d\",\"%d\"]","schema":"public","table":"users","lsn":%d},"op":%q,"ts_ms":%d}`,
			after, time.Now().UnixMilli(), lsn, lsn, lsn, op, time.Now().UnixMilli()),
	}
}

func TestAPartitionWaitsForAConnectorThatWritesAnotherFormat(t *testing.T) {
	c := newChain(t)
	c.makeTopics()
	connector := c.connector()
	write := func(partition int32, key string, id int) {
		connector.send("users", partition, key, "c", named(id), at{last: uint64(id), lsn: uint64(id), time: time.Now()})
	}
	write(0, `{"id":1}`, 1)
	for id := range 50 {
		write(0, "\x00\x00\x00\x00\x07\x0e", 100+id) // Avro
	}
	c.startConsumer()
	wait.Until(t, func() bool { return c.metric("feedrank_cdc_parked") == 1 })
	write(1, `{"id":2}`, 2)
	wait.Until(t, func() bool { return len(c.names()) == 2 }, "what came before it, and other partitions")
	require.Empty(t, c.letters.list())
	err := c.consumer.Probe(t.Context())
	require.ErrorContains(t, err, "cdc.public.users/0@1: foreign_format: the key is of a schema registry")
	require.ErrorContains(t, err, "set key.converter=org.apache.kafka.connect.json.JsonConverter in the connector")

	c.stopConsumer()
	c.cfg.Consumer.OnForeign = "dead_letter"
	c.startConsumer()
	wait.Until(t, func() bool { return len(c.letters.list()) == 50 })
	require.Zero(t, c.metric("feedrank_cdc_parked"))
}

func TestKeysOfAStringConverterAreRead(t *testing.T) {
	c := newChain(t)
	c.makeTopics()
	connector := c.connector()
	for id := range 20 {
		connector.keyed("users", fmt.Sprintf("Struct{id=%d}", id+1), "c", named(id+1),
			at{last: uint64(id + 1), lsn: uint64(id + 1), time: time.Now()})
	}
	connector.keyed("users", "Struct{id=7}", "d", "null", at{last: 30, lsn: 30, time: time.Now()})
	c.startConsumer()
	wait.Until(t, func() bool { return len(c.names()) == 19 })
	require.Empty(t, c.letters.list())
}

func TestWhatAConnectorTookBackIsNotApplied(t *testing.T) {
	c := newChain(t)
	c.makeTopics()
	c.startConsumer()
	txn.Send(t, c.KafkaConfig.Brokers, true, c.userRecord(0, `{"id":1}`, "c", 1, 1),
		c.userRecord(0, `{"id":2}`, "c", 2, 2))
	wait.Until(t, func() bool { return len(c.names()) == 2 })
	txn.Send(t, c.KafkaConfig.Brokers, false, c.userRecord(0, `{"id":1}`, "d", 1, 3),
		c.userRecord(0, `{"id":3}`, "c", 3, 4))
	txn.Send(t, c.KafkaConfig.Brokers, true, c.userRecord(0, `{"id":4}`, "c", 4, 5))
	wait.Until(t, func() bool { return len(c.names()) == 3 })
	require.Contains(t, c.names(), "1 user 1", "its delete was taken back")
	require.NotContains(t, c.names(), "3 user 3", "it was taken back")
	wait.Until(t, func() bool { return c.metric("feedrank_cdc_lag_records") == 0 }, "the last offset is a marker")
}
