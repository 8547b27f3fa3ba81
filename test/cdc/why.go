package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/test/tables"
)

// why tells, of the first row that is in one database alone, what Kafka and ClickHouse have of it, and how far the
// consumers have read: a drill that fails cannot be repeated.
func (d *drill) why(ctx context.Context, differences string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	config, err := d.settings.Kafka.Sarama()
	if err != nil {
		return err
	}
	client, err := sarama.NewClient(d.settings.Kafka.Brokers, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	if err := d.lags(client); err != nil {
		return err
	}
	found := regexp.MustCompile(`(?m)^(likes|follows|posts|users|comments|blocks|mutes|members|hides): .*\[(\S+)`).FindStringSubmatch(differences)
	if found == nil {
		return nil
	}
	table, line := found[1], strings.Trim(found[2], "[]")
	ids := slices.DeleteFunc(strings.Split(line, "|"),
		func(word string) bool { return word == "block" || word == "mute" })
	d.say("what there is of %s %s:\n", table, line)
	if err := d.log(ctx, client, d.topic(table), ids[:min(2, len(ids)-1)]); err != nil {
		return err
	}
	copies, err := tables.Copies(ctx, d.db,
		"SELECT toString(tuple(*)) AS line FROM "+table+" WHERE row_key LIKE '%"+ids[0]+"%' AND row_key LIKE '%"+ids[1]+"%'")
	if err != nil {
		return err
	}
	truncates, err := tables.Copies(ctx, d.db, "SELECT toString(tuple(*)) AS line FROM cdc_truncates")
	for _, row := range append(copies, truncates...) {
		d.say("  in ClickHouse %s\n", row)
	}
	return err
}

func (d *drill) topic(table string) string {
	return d.settings.Kafka.Topic(d.settings.CDC.TopicPrefix + ".public." + table)
}

// lags says where the consumers are behind.
func (d *drill) lags(client sarama.Client) error {
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		return err
	}
	committed, err := admin.ListConsumerGroupOffsets(d.settings.Kafka.Topic(d.settings.CDC.Consumer.Group), nil)
	if err != nil {
		return err
	}
	for topic, partitions := range committed.Blocks {
		for partition, block := range partitions {
			end, err := client.GetOffset(topic, partition, sarama.OffsetNewest)
			if err != nil {
				return err
			}
			if block.Offset < end {
				d.say("behind: %s/%d committed %d (%s) of %d\n", topic, partition, block.Offset, block.Metadata, end)
			}
		}
	}
	return nil
}

// log prints the records of a topic whose key or value has all the numbers.
func (d *drill) log(ctx context.Context, client sarama.Client, topic string, ids []string) error {
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	partitions, err := client.Partitions(topic)
	if err != nil {
		return err
	}
	for _, p := range partitions {
		end, err := client.GetOffset(topic, p, sarama.OffsetNewest)
		if err != nil {
			return err
		}
		if end == 0 {
			continue
		}
		records, err := consumer.ConsumePartition(topic, p, sarama.OffsetOldest)
		if err != nil {
			return err
		}
		for at := int64(0); at < end-1; {
			select {
			case m := <-records.Messages():
				at = m.Offset
				if about(m.Key, ids) || m.Key == nil {
					d.say("  %s/%d@%d %s %s %s\n", topic, p, m.Offset, m.Timestamp.Format("05.000"), m.Key,
						payload(m.Value))
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := records.Close(); err != nil {
			return err
		}
	}
	return nil
}

func about(key []byte, ids []string) bool {
	for _, id := range ids {
		if !regexp.MustCompile(`:"?` + regexp.QuoteMeta(id) + `\b`).Match(key) {
			return false
		}
	}
	return true
}

func payload(value []byte) string {
	return fmt.Sprintf("%.600s", value)
}
