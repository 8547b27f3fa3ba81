package kafka

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/IBM/sarama"
)

// TopicSpec is a topic as it should be.
type TopicSpec struct {
	Name       string // full name, with the prefix
	Partitions int32
	Retention  time.Duration // zero: the broker's default
}

// TopicChange says what EnsureTopics did, or would do, to one topic.
type TopicChange struct {
	Topic  string
	Action string // "create", "keep" or a warning that begins with "differs"
}

// EnsureTopics creates the topics that are missing. It never changes one that exists: fewer
// partitions would lose records, more would part the copies of one key.
func EnsureTopics(cfg Config, topics []TopicSpec, dryRun bool) (changes []TopicChange, err error) {
	err = cfg.WithAdmin(func(admin sarama.ClusterAdmin) (err error) {
		changes, err = ensureTopics(admin, cfg.ReplicationFactor, topics, dryRun)
		return err
	})
	return changes, err
}

// WithAdmin lends an administrator's client.
func (c Config) WithAdmin(use func(sarama.ClusterAdmin) error) (err error) {
	config, err := c.Sarama()
	if err != nil {
		return err
	}
	admin, err := sarama.NewClusterAdmin(c.Brokers, config)
	if err != nil {
		return fmt.Errorf("kafka connect: %w", err)
	}
	defer func() { err = errors.Join(err, admin.Close()) }()
	return use(admin)
}

func ensureTopics(
	admin sarama.ClusterAdmin, replication int16, topics []TopicSpec, dryRun bool,
) (changes []TopicChange, err error) {
	existing, err := admin.ListTopics()
	if err != nil {
		return nil, fmt.Errorf("kafka list topics: %w", err)
	}
	for _, topic := range topics {
		change := TopicChange{Topic: topic.Name, Action: "keep"}
		found, ok := existing[topic.Name]
		switch {
		case ok && found.NumPartitions != topic.Partitions:
			change.Action = fmt.Sprintf("differs: has %d partitions, configured are %d; partitions never change in place, see \"More partitions\" in config/README.md",
				found.NumPartitions, topic.Partitions)
		case !ok:
			change.Action = "create"
			if !dryRun {
				err = createTopic(admin, topic, replication)
			}
		}
		if err != nil {
			return changes, err
		}
		changes = append(changes, change)
	}
	return changes, nil
}

func createTopic(admin sarama.ClusterAdmin, topic TopicSpec, replication int16) error {
	detail := &sarama.TopicDetail{
		NumPartitions: topic.Partitions, ReplicationFactor: replication, ConfigEntries: map[string]*string{},
	}
	set := func(name string, to int64) {
		text := strconv.FormatInt(to, 10)
		detail.ConfigEntries[name] = &text
	}
	if topic.Retention > 0 {
		set("retention.ms", topic.Retention.Milliseconds())
	}
	// The broker's default is one: a broker that is left alone would acknowledge what is lost with its disk. Of two
	// replicas both would be needed, and nothing could be written while one is away: that is for who runs them to say.
	if replication >= 3 {
		set("min.insync.replicas", int64(replication/2+1))
	}
	err := admin.CreateTopic(topic.Name, detail, false)
	if err != nil && !errors.Is(err, sarama.ErrTopicAlreadyExists) { // another replica was faster
		return fmt.Errorf("kafka create topic %s: %w", topic.Name, err)
	}
	return nil
}
