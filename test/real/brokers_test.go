//go:build real

package real_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/wait"
)

// brokered is a whole program on three brokers: each partition is on all of them, and an acknowledgement takes two.
type brokered struct {
	*live
	cluster *servers.KafkaCluster
	disk    disk // of the last broker
}

func onThreeBrokers(t *testing.T) *brokered {
	t.Helper()
	s, c := fresh(t)
	dir, err := os.MkdirTemp("", "feedrank-brokers-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	b := &brokered{disk: newDisk(t, filepath.Join(dir, "broker-3"), 256)}
	b.cluster, err = servers.StartKafkaCluster(t.Context(), dir, 3)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.cluster.Stop(context.WithoutCancel(t.Context()))) })
	prefix, session := c.KafkaConfig.TopicPrefix, s.KafkaConfig.SessionTimeout
	c.KafkaConfig = b.cluster.Config()
	c.KafkaConfig.TopicPrefix, c.KafkaConfig.SessionTimeout = prefix, session
	b.live = start(t, c, nil)
	return b
}

// leads are the partitions of our topics that a broker leads, and whether all of our partitions are on every broker.
func (b *brokered) leads(broker servers.Server) (led []string, whole bool) {
	b.t.Helper()
	number, err := strconv.Atoi(strings.TrimPrefix(broker.Name(), "broker-"))
	require.NoError(b.t, err)
	whole = true
	err = b.cfg.Kafka.WithAdmin(func(admin sarama.ClusterAdmin) error {
		all, err := admin.ListTopics()
		if err != nil {
			return err
		}
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(all)),
			func(name string) bool { return !strings.HasPrefix(name, b.cfg.Kafka.TopicPrefix) })
		topics, err := admin.DescribeTopics(names)
		for _, topic := range topics {
			for _, p := range topic.Partitions {
				whole = whole && len(p.Isr) == len(b.cluster.Brokers)
				if int(p.Leader) == number {
					led = append(led, fmt.Sprintf("%s/%d", topic.Name, p.ID))
				}
			}
		}
		return err
	})
	return led, whole && err == nil
}

// back waits until every broker has all again.
func (b *brokered) back() {
	b.t.Helper()
	for _, broker := range b.cluster.Brokers {
		require.NoError(b.t, broker.Start(b.t.Context()))
	}
	wait.Until(b.t, func() bool { _, whole := b.leads(b.cluster.Brokers[0]); return whole },
		"all partitions are in sync on all brokers")
}

// goOn waits until events are taken, and acts on: reads never stop.
func (b *brokered) goOn(times int) {
	b.t.Helper()
	wait.Until(b.t, func() bool {
		require.Positive(b.t, b.page())
		if b.act() == http.StatusAccepted {
			times--
		}
		return times <= 0
	}, "events are taken")
	b.post()
}

func TestNothingAcknowledgedIsLostWhileBrokersDie(t *testing.T) {
	b := onThreeBrokers(t)
	brokers := b.cluster.Brokers
	b.back()
	for _, topic := range []string{b.cfg.Events.Topic, "cdc.public.posts"} {
		require.Equal(t, "2", b.setting(topic, "min.insync.replicas"), topic)
	}
	b.goOn(20)
	b.whole()

	step := func(name string, do func()) {
		began := time.Now()
		do()
		t.Logf("%s: %s, %d events and %d posts were taken so far", name, time.Since(began).Round(time.Second),
			len(b.accepted), b.posts)
	}
	step("each is killed", func() {
		killed := map[string]bool{}
		for _, broker := range brokers {
			led, _ := b.leads(broker)
			for _, partition := range led {
				killed[partition] = true
			}
			require.NoError(t, broker.Kill())
			b.goOn(20)
			b.back()
		}
		t.Logf("%d leaders of partitions were killed", len(killed))
		b.whole()
		b.copied()
	})
	step("one is left", func() {
		require.NoError(t, brokers[0].Kill())
		require.NoError(t, brokers[1].Kill())
		wait.Until(t, func() bool {
			alone, _ := b.leads(brokers[2])
			return len(alone) > 0 && b.act() == http.StatusServiceUnavailable
		}, "it acknowledges nothing alone")
		taken := len(b.accepted)
		for range 5 { // each waits for events.produce_timeout
			require.Equal(t, http.StatusServiceUnavailable, b.act())
			require.Positive(t, b.page())
		}
		require.Len(t, b.accepted, taken)
		b.says("kafka")
		b.back()
		b.goOn(20)
		b.whole()
		b.copied()
	})
	step("the disk of one is full", func() {
		b.disk.fill()
		b.goOn(200)
		wait.Until(t, func() bool { b.goOn(20); return brokers[2].PID() == 0 }, "a broker without a disk ends")
		b.goOn(20)
		b.disk.free()
		b.back()
		b.whole()
		b.copied()
	})
	step("one is frozen", func() {
		require.NoError(t, brokers[0].Freeze())
		b.goOn(20)
		require.NoError(t, brokers[0].Thaw())
		b.goOn(20)
		b.back()
		b.whole()
		b.copied()
	})
	step("all are restarted in turn", func() {
		for _, broker := range brokers {
			require.NoError(t, broker.Stop(t.Context()))
			b.goOn(20)
			b.back()
		}
		b.whole()
		b.copied()
	})
}

// setting is what Kafka says of a topic.
func (b *brokered) setting(topic, name string) (value string) {
	b.t.Helper()
	require.NoError(b.t, b.cfg.Kafka.WithAdmin(func(admin sarama.ClusterAdmin) error {
		found, err := admin.DescribeConfigs([]*sarama.ConfigResource{{
			Type: sarama.TopicResource, Name: b.cfg.Kafka.Topic(topic), ConfigNames: []string{name},
		}}, sarama.DescribeConfigsOptions{})
		for _, resource := range found {
			for _, entry := range resource.Configs {
				value = entry.Value
			}
		}
		return err
	}))
	return value
}
