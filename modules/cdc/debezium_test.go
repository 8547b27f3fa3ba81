package cdc_test

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/tables"
	"github.com/feedrank/feedrank/test/wait"
)

// connector writes records as Debezium does, where the test wants them.
type connector struct {
	t        testing.TB
	producer sarama.SyncProducer
	prefix   string
}

func (c *chain) connector() *connector {
	c.t.Helper()
	config, err := c.KafkaConfig.Sarama()
	require.NoError(c.t, err)
	config.Producer.Partitioner = sarama.NewManualPartitioner
	producer, err := sarama.NewSyncProducer(c.KafkaConfig.Brokers, config)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { require.NoError(c.t, producer.Close()) })
	return &connector{t: c.t, producer: producer, prefix: c.KafkaConfig.TopicPrefix + "cdc.public."}
}

// at is a place in the stream: the commit before the transaction, the position of the write, the time.
type at struct {
	last, lsn uint64
	time      time.Time
	snapshot  string
	lead      uint64 // of the built-in source; zero: Debezium
}

func (d *connector) send(table string, partition int32, key, op, after string, where at) {
	d.t.Helper()
	sequence := fmt.Sprintf(`"[\"%d\",\"%d\"]"`, where.last, where.lsn)
	if where.last == 0 {
		sequence = fmt.Sprintf(`"[null,\"%d\"]"`, where.lsn)
	}
	snapshot := where.snapshot
	if snapshot == "" {
		snapshot = "false"
	}
	value := fmt.Sprintf(`{"before":null,"after":%s,"source":{"version":"3.7.0.Final","connector":"postgresql","name":"cdc","ts_ms":%d,"snapshot":"%s","db":"app","sequence":%s,"schema":"public","table":"%s","txId":1,"lsn":%d,"xmin":null},"transaction":null,"op":"%s","ts_ms":%d}`,
		after, where.time.UnixMilli(), snapshot, sequence, table, where.lsn, op, where.time.UnixMilli())
	if where.lead > 0 {
		value = strings.Replace(value, `"source":{`, fmt.Sprintf(`"source":{"system":"1","lead":"%d",`, where.lead), 1)
	}
	message := &sarama.ProducerMessage{
		Topic: d.prefix + table, Partition: partition,
		Value: sarama.StringEncoder(value),
	}
	if key != "" {
		message.Key = sarama.StringEncoder(key)
	}
	_, _, err := d.producer.SendMessage(message)
	require.NoError(d.t, err)
}

// keyed sends a record to the partition that a connector would choose for its key.
func (d *connector) keyed(table, key, op, after string, where at) {
	d.t.Helper()
	d.send(table, partitionOf(d.t, key, 4), key, op, after, where)
}

// partitionOf is where the Java clients, and so Debezium, put a key.
func partitionOf(t testing.TB, key string, partitions int32) int32 {
	t.Helper()
	p, err := sarama.NewMurmur2Partitioner("any").Partition(&sarama.ProducerMessage{Key: sarama.StringEncoder(key)},
		partitions)
	require.NoError(t, err)
	return p
}

// misplaced lists the records of a topic whose keys are not those of their partition.
func (c *chain) misplaced(table string, key func(id int) string) []string {
	c.t.Helper()
	config, err := c.KafkaConfig.Sarama()
	require.NoError(c.t, err)
	consumer, err := sarama.NewConsumer(c.KafkaConfig.Brokers, config)
	require.NoError(c.t, err)
	defer func() { require.NoError(c.t, consumer.Close()) }()
	known := map[string]bool{}
	for id := range 100 {
		known[key(id)] = true
	}
	var found []string
	for p := range c.cfg.Topics.Partitions {
		reader, err := consumer.ConsumePartition(c.KafkaConfig.TopicPrefix+"cdc.public."+table, p, sarama.OffsetOldest)
		require.NoError(c.t, err)
		for {
			m, ok := <-reader.Messages()
			require.True(c.t, ok)
			if k := string(m.Key); !known[k] || partitionOf(c.t, k, c.cfg.Topics.Partitions) != p {
				found = append(found, k)
			}
			if m.Offset+1 >= reader.HighWaterMarkOffset() {
				break
			}
		}
		require.NoError(c.t, reader.Close())
	}
	return found
}

// spoken are what tests call a user's states; a copy tells them by the user's time.
var spoken sync.Map

// user is a row in a state, which its time stands for.
func user(id int, state string) string {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(state))
	created := time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC).Add(time.Duration(hash.Sum32()) * time.Millisecond)
	spoken.Store(strconv.FormatInt(created.UnixMicro(), 10), state)
	return fmt.Sprintf(`{"id":%d,"created_at":"%s"}`, id, created.Format(time.RFC3339Nano))
}

// settled waits until everything that was written so far is observer: a marker row in every partition.
func (d *connector) settled(c *chain, marker int) {
	d.t.Helper()
	for p := range c.cfg.Topics.Partitions {
		id := marker*100 + int(p)
		d.send("users", p, fmt.Sprintf(`{"id":%d}`, id), "r", user(id, "marker"),
			at{lsn: 1 << 50, time: time.Now().Add(24 * time.Hour), snapshot: "incremental"})
	}
	wait.Until(d.t, func() bool {
		lines, err := tables.Copies(d.t.Context(), c.ClickHouse,
			fmt.Sprintf("SELECT toString(id) AS line FROM users FINAL WHERE intDiv(id, 100) = %d", marker))
		return err == nil && len(lines) == int(c.cfg.Topics.Partitions)
	})
}

// names are the users with their states, but for markers.
func (c *chain) names() (named []string) {
	c.t.Helper()
	lines, err := tables.Copies(c.t.Context(), c.ClickHouse, tables.Copied["users"])
	require.NoError(c.t, err)
	for _, line := range lines {
		id, created := line[:strings.Index(line, "|")], line[strings.LastIndex(line, "|")+1:]
		state, ok := spoken.Load(created)
		require.True(c.t, ok, line)
		if state != "marker" {
			named = append(named, fmt.Sprint(id, " ", state))
		}
	}
	return named
}

func TestRowsThatWaitInOtherPartitionsDieByATruncateAndNewOnesLive(t *testing.T) {
	c := newChain(t)
	c.makeTopics()
	c.startConsumer()
	d, now := c.connector(), time.Now()
	d.send("users", 0, `{"id":1}`, "c", user(1, "there before"), at{100, 110, now, "", 0})
	d.send("users", 1, `{"id":2}`, "c", user(2, "written after, read before"),
		at{300, 310, now.Add(time.Second), "", 0})
	d.settled(c, 1)
	d.send("users", 3, "", "t", "null", at{100, 200, now, "", 0})
	d.settled(c, 2)
	d.send("users", 2, `{"id":3}`, "c", user(3, "in flight"), at{100, 120, now, "", 0})
	d.send("users", 2, `{"id":4}`, "c", user(4, "new"), at{300, 320, now.Add(time.Second), "", 0})
	d.settled(c, 3)
	require.Equal(t, []string{"2 written after, read before", "4 new"}, c.names())

	c.stopConsumer() // the truncate is remembered
	c.startConsumer()
	d.send("users", 1, `{"id":5}`, "c", user(5, "even later"), at{100, 130, now, "", 0})
	d.send("users", 1, `{"id":6}`, "c", user(6, "of a rebuilt cluster"), at{20, 30, now.Add(time.Hour), "", 0})
	d.settled(c, 4)
	require.Equal(t, []string{"2 written after, read before", "4 new", "6 of a rebuilt cluster"}, c.names())
}

// TestAKeyThatIsUsedAgainBeforeItsTruncateIsHeardOfLeavesItsOldPlace has the truncate in another partition, which is
// read later.
func TestAKeyThatIsUsedAgainBeforeItsTruncateIsHeardOfLeavesItsOldPlace(t *testing.T) {
	c := newChain(t)
	c.makeTopics()
	c.startConsumer()
	d, now := c.connector(), time.Now()
	write := func(author, hoursAgo int, where at) {
		created := now.Add(-time.Duration(hoursAgo) * time.Hour).UTC().Format(time.RFC3339)
		d.send("comments", 1, `{"id":1}`, "c",
			fmt.Sprintf(`{"id":1,"post_id":5,"author_id":%d,"body":"","created_at":"%s"}`, author, created), where)
		d.send("likes", 1, `{"user_id":1,"post_id":5}`, "c",
			fmt.Sprintf(`{"user_id":1,"post_id":5,"created_at":"%s"}`, created), where)
	}
	counted := func(table string) []string {
		lines, err := tables.Copies(t.Context(), c.ClickHouse,
			"SELECT concat(toString(kind), ' of ', toString(user_id)) AS line FROM "+table+" FINAL")
		require.NoError(t, err)
		return lines
	}
	write(3, 7, at{100, 110, now, "", 0})
	wait.Until(t, func() bool { return len(counted("reactions_by_hour")) == 2 })
	write(4, 2, at{300, 310, now.Add(time.Second), "", 0})
	wait.Until(t, func() bool { return len(counted("reactions_by_hour")) == 4 }) // nobody knows better yet
	for _, table := range []string{"comments", "likes"} {
		d.send(table, 3, "", "t", "null", at{200, 200, now, "", 0})
	}
	wait.Until(t, func() bool { return len(counted("reactions_by_hour")) == 2 })
	wait.Until(t, func() bool {
		return slices.Equal(counted("reactions_by_user"),
			[]string{"comment of 4", "like of 1"})
	})
	require.Equal(t, []string{"comment of 4", "like of 1"}, counted("reactions_by_hour"))
}

func TestARepeatedStretchOfTheLogMovesNoRowBack(t *testing.T) {
	c := newChain(t)
	c.makeTopics()
	c.startConsumer()
	d, now := c.connector(), time.Now()
	write := func(from, to int) {
		for i := from; i <= to; i++ {
			d.send("users", 0, `{"id":1}`, "u", user(1, fmt.Sprint("change ", i)),
				at{uint64(100 * i), uint64(100*i + 10), now.Add(time.Duration(i) * time.Second), "", 0})
		}
	}
	write(1, 20)
	write(5, 12) // the connector died, and begins at its last checkpoint
	d.settled(c, 1)
	require.Equal(t, []string{"1 change 20"}, c.names(), "the repeat is recognised before it is over")
	write(13, 21)
	d.settled(c, 2)
	require.Equal(t, []string{"1 change 21"}, c.names())

	d.send("users", 0, `{"id":1}`, "u", user(1, "unknown position"), at{0, 700, now, "", 0})
	d.settled(c, 3)
	require.Equal(t, []string{"1 unknown position"}, c.names(), "in doubt it is applied")
}

// A producer gave up on the change of one row and brought a later one of another; then all comes again, behind a
// transaction whose place is known.
func TestAChangeThatComesLateForTheFirstTimeIsNoRepeat(t *testing.T) {
	c := newChain(t)
	c.makeTopics()
	c.startConsumer()
	d, now := c.connector(), time.Now()
	at := func(i int, unknown bool) at {
		last := uint64(100 * i)
		if unknown {
			last = 0
		}
		return at{last, uint64(100*i + 10), now.Add(time.Duration(i) * time.Second), "", 0}
	}
	write := func(id, i int, unknown bool) {
		d.send("users", 0, fmt.Sprintf(`{"id":%d}`, id), "u", user(id, fmt.Sprint("change ", i)), at(i, unknown))
	}
	write(1, 1, false)
	write(2, 2, false)
	write(3, 5, false) // 3 and 4 were given up
	write(2, 2, true)  // the connector begins again
	write(1, 3, false)
	write(2, 4, false)
	write(3, 5, false)
	d.settled(c, 1)
	require.Equal(t, []string{"1 change 3", "2 change 4", "3 change 5"}, c.names())
}

func TestTheLogDecidesWhereASnapshotOverlapsTheStream(t *testing.T) {
	c := newChain(t)
	c.makeTopics()
	c.startConsumer()
	d, now := c.connector(), time.Now()
	d.send("users", 0, `{"id":1}`, "r", user(1, "as the snapshot saw it"), at{0, 26747216, now, "true", 0})
	d.send("users", 0, `{"id":2}`, "r", user(2, "as the snapshot saw it"), at{0, 26747216, now, "last", 0})
	// its transaction began before the slot was made
	d.send("users", 0, `{"id":1}`, "u", user(1, "changed"), at{0, 26746744, now, "", 0})
	d.send("users", 0, `{"id":2}`, "d", "null", at{0, 26746824, now, "", 0})
	d.settled(c, 1)
	require.Equal(t, []string{"1 changed"}, c.names())
}

func TestAFrozenLeaderThatWakesMovesNoRowBack(t *testing.T) {
	c := newChain(t)
	c.makeTopics()
	c.startConsumer()
	d, now := c.connector(), time.Now()
	d.send("users", 0, `{"id":1}`, "c", user(1, "of the first leader"), at{0, 100, now, "", 4})
	d.send("users", 0, `{"id":1}`, "u", user(1, "of the second"), at{0, 300, now, "", 5})
	d.send("users", 0, `{"id":1}`, "u", user(1, "what the first had in hand"), at{0, 200, now, "", 4})
	d.settled(c, 1)
	require.Equal(t, []string{"1 of the second"}, c.names())
	c.stopConsumer() // the lead is remembered
	c.startConsumer()
	d.send("users", 0, `{"id":1}`, "r", user(1, "and a snapshot's row"), at{0, 200, now, "true", 4})
	d.send("users", 1, `{"id":2}`, "r", user(2, "of a partition that the second has not written to"),
		at{0, 200, now, "true", 4})
	d.settled(c, 2)
	require.Equal(t, []string{"1 of the second", "2 of a partition that the second has not written to"}, c.names())
}
