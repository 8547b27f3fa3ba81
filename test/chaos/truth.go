package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

// What must have become of a record of the log.
const (
	isRow    = 'r' // it is in the raw table
	isCopy   = 'c' // of an event further up in its partition
	isLetter = 'x'
)

// entry is a record of the log.
type entry struct {
	number int32 // in the stream
	fate   byte
	effect int8 // what it adds, if it is a row
	seen   bool // by the comparison
	at     time.Time
}

// truth is what must be, worked out from the log and the stream alone.
type truth struct {
	stream   *stream
	log      [][]entry // by partition and offset
	distinct int
	missing  int // records of the stream that are not in the log
	cold     int // records at its beginning of which no ages are kept
	posts    map[postBucket]postCounts
	authors  map[authorBucket]authorCounts
	minds    map[reaction]mind
}

// reaction is what a user has one mind about.
type reaction struct {
	user, post int64
	column     int
}

// mind is what they think, since when.
type mind struct {
	on bool
	at int64
}

type postBucket struct {
	hour         int64 // seconds since 1970
	post, author int64
	partition    uint16
}

// postCounts are exposures, views, clicks, likes, comments, shares, hides, and the dwell histogram as text.
type postCounts struct {
	n     [7]int64
	dwell string
}

type authorBucket struct {
	user, author int64
	day          int32 // since 1970
	partition    uint16
}

// authorCounts are views, clicks, likes, comments, shares, hides.
type authorCounts [6]int64

// readLog reads a topic from its beginning to its end.
func readLog(brokers []string, topic string, each func(*sarama.ConsumerMessage) error) error {
	client, err := connect(brokers)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	defer func() { _ = consumer.Close() }()
	partitions, err := client.Partitions(topic)
	if err != nil {
		return err
	}
	for _, partition := range partitions {
		end, err := client.GetOffset(topic, partition, sarama.OffsetNewest)
		if err != nil || end == 0 {
			if err != nil {
				return err
			}
			continue
		}
		if err := readPartition(consumer, topic, partition, end, each); err != nil {
			return fmt.Errorf("read %s/%d: %w", topic, partition, err)
		}
	}
	return nil
}

// connect is a client that reads.
func connect(brokers []string) (sarama.Client, error) {
	cfg := sarama.NewConfig()
	cfg.Version = sarama.V3_6_0_0
	return sarama.NewClient(brokers, cfg)
}

// logEnds is how many records each partition of a topic has.
func logEnds(brokers []string, topic string) (ends map[int32]int64, err error) {
	client, err := connect(brokers)
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	partitions, err := client.Partitions(topic)
	ends = map[int32]int64{}
	for _, partition := range partitions {
		end, failed := client.GetOffset(topic, partition, sarama.OffsetNewest)
		err = errors.Join(err, failed)
		ends[partition] = max(0, end)
	}
	return ends, err
}

// members says which partitions each member of the consumers' group has.
func members(brokers []string, group string) (string, error) {
	client, err := connect(brokers)
	if err != nil {
		return "", err
	}
	defer func() { _ = client.Close() }()
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		return "", err
	}
	groups, err := admin.DescribeConsumerGroups([]string{group})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, g := range groups {
		fmt.Fprintf(&b, "group %s is %s\n", g.GroupId, g.State)
		for id, m := range g.Members {
			if has, err := m.GetMemberAssignment(); err == nil && has != nil {
				fmt.Fprintf(&b, "member %s has %v\n", id, has.Topics)
			}
		}
	}
	return b.String(), nil
}

func readPartition(consumer sarama.Consumer, topic string, partition int32, end int64,
	each func(*sarama.ConsumerMessage) error,
) error {
	reading, err := consumer.ConsumePartition(topic, partition, 0)
	if err != nil {
		return err
	}
	defer reading.AsyncClose()
	stuck := time.NewTimer(time.Minute)
	defer stuck.Stop()
	for {
		select {
		case m := <-reading.Messages():
			if err := each(m); err != nil {
				return err
			}
			if m.Offset >= end-1 {
				return nil
			}
		case <-stuck.C:
			return fmt.Errorf("no end at offset %d within a minute", end)
		}
	}
}

// learn reads the log and works out what must be.
func learn(s *stream, brokers []string, topic string, partitions int32) (*truth, error) {
	t := &truth{
		stream: s, log: make([][]entry, partitions), posts: map[postBucket]postCounts{},
		authors: map[authorBucket]authorCounts{}, minds: map[reaction]mind{},
	}
	counted := make([]bool, len(s.events))
	there := make([]bool, len(s.records))
	dwell := map[postBucket]map[int]int64{}
	err := readLog(brokers, topic, func(m *sarama.ConsumerMessage) error {
		n := -1
		for _, h := range m.Headers {
			if bytes.Equal(h.Key, []byte(numberHeader)) {
				n, _ = strconv.Atoi(string(h.Value))
			}
		}
		if n < 0 || n >= len(s.records) || m.Offset != int64(len(t.log[m.Partition])) {
			return fmt.Errorf("offset %d is not a record of the stream, or not the next one", m.Offset)
		}
		there[n] = true
		e := entry{number: int32(n), at: m.Timestamp, fate: isLetter}
		if r := s.records[n]; r.poison == sound {
			e.fate = isCopy
			if !counted[r.event] {
				counted[r.event], e.fate = true, isRow
				t.distinct++
				e.effect = t.count(uint16(m.Partition), s.events[r.event], r.shift, dwell)
			}
		}
		t.log[m.Partition] = append(t.log[m.Partition], e)
		return nil
	})
	for b, histogram := range dwell {
		c := t.posts[b]
		c.dwell = histogramText(histogram)
		t.posts[b] = c
	}
	for _, ok := range there {
		if !ok {
			t.missing++
		}
	}
	return t, err
}

// count does what sql/clickhouse/migrations/0003_views.sql says, and tells what the event adds.
func (t *truth) count(partition uint16, e event, shift int32, dwell map[postBucket]map[int]int64) (effect int8) {
	occurred := e.occurred + int64(shift)
	post := postBucket{hour: occurred / 3_600_000 * 3600, post: e.post, author: e.author, partition: partition}
	author := authorBucket{user: e.user, author: e.author, day: int32(occurred / 86_400_000), partition: partition}
	column, by := -1, int64(1)
	switch actions()[e.action] {
	case "impression":
		column = 0
	case "view":
		column = 1
	case "click":
		column = 2
	case "like":
		column = 3
	case "unlike":
		column, by = 3, -1 // of a like
	case "comment":
		column = 4
	case "share":
		column = 5
	case "hide", "not_interested":
		column = 6
	case "unhide":
		column, by = 6, -1 // of one of these
	case "dwell":
		h := dwell[post]
		if h == nil {
			h = map[int]int64{}
			dwell[post] = h
		}
		h[dwellBucket(e.dwell)]++
		return 1
	}
	if column >= 3 { // reactions: the last one by time holds, and one's own posts do not count
		if by = t.change(reaction{e.user, e.post, column}, by > 0, occurred); by == 0 ||
			(e.user == e.author && column < 6) {
			return 0
		}
	}
	c := t.posts[post]
	c.n[column] += by
	t.posts[post] = c
	if column > 0 && e.user != e.author {
		a := t.authors[author]
		a[column-1] += by
		t.authors[author] = a
	}
	return int8(by)
}

// change is what a user's change of mind adds.
func (t *truth) change(about reaction, on bool, at int64) int64 {
	m := t.minds[about]
	if at < m.at {
		return 0
	}
	t.minds[about] = mind{on, at}
	switch {
	case on && !m.on:
		return 1
	case m.on && !on:
		return -1
	}
	return 0
}

// dwellBucket has 4 buckets for each doubling, from 1 ms on.
func dwellBucket(millis uint32) int {
	doublings := bits.Len32(millis) - 1
	quarter := (uint64(millis)*4)>>doublings - 4
	return 4*doublings + int(quarter)
}

func histogramText(h map[int]int64) string {
	var parts []string
	for _, bucket := range slices.Sorted(maps.Keys(h)) {
		parts = append(parts, fmt.Sprintf("%d:%d", bucket, h[bucket]))
	}
	return strings.Join(parts, ",")
}
