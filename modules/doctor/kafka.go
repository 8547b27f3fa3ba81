package doctor

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Kafka is the log of events and changes.
type Kafka struct {
	Config kafka.Config
	Topics []kafka.TopicSpec
	Groups []string // of our consumers, without the prefix
}

const kafkaArea = "kafka"

// Checks are what is looked at.
func (k Kafka) Checks() []Check {
	return []Check{
		{kafkaArea, "brokers", func(ctx context.Context) ([]Finding, error) { return nil, k.Config.Ping(ctx) }},
		{kafkaArea, "topics, their partitions, replicas and retention", k.asked(k.topics)},
		{kafkaArea, "consumer groups", k.asked(k.groups)},
	}
}

// asked gives a check the administrator's client.
func (k Kafka) asked(look func(sarama.ClusterAdmin) ([]Finding, error)) func(context.Context) ([]Finding, error) {
	return func(context.Context) (found []Finding, err error) {
		err = k.Config.WithAdmin(func(admin sarama.ClusterAdmin) (err error) {
			found, err = look(admin)
			return err
		})
		return found, err
	}
}

func (k Kafka) topics(admin sarama.ClusterAdmin) (found []Finding, err error) {
	existing, err := admin.ListTopics()
	if err != nil {
		return nil, err
	}
	brokers, _, err := admin.DescribeCluster()
	if err != nil {
		return nil, err
	}
	if len(brokers) < 2 {
		found = append(found, Finding{
			Advice, kafkaArea, "has one broker, with everything on it",
			"run three with kafka.replication_factor 3: what the only one loses is lost",
		})
	}
	for _, wanted := range k.Topics {
		detail, ok := existing[wanted.Name]
		if !ok {
			found = append(found, Finding{
				Broken, kafkaArea, "there is no topic " + wanted.Name, "run feedrank migrate, which makes it",
			})
			continue
		}
		settings, err := settingsOf(admin, wanted.Name)
		if err != nil {
			return found, err
		}
		found = append(found, topicFindings(wanted, detail, settings, len(brokers))...)
	}
	return found, nil
}

func settingsOf(admin sarama.ClusterAdmin, topic string) (map[string]string, error) {
	found, err := admin.DescribeConfigs([]*sarama.ConfigResource{{Type: sarama.TopicResource, Name: topic}},
		sarama.DescribeConfigsOptions{})
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	for _, resource := range found {
		if resource.ErrorCode == sarama.ErrTopicAuthorizationFailed {
			return nil, fmt.Errorf("%w: settings of topic %s (DescribeConfigs)", ErrNotAllowed, topic)
		}
		if resource.ErrorCode != sarama.ErrNoError {
			return nil, fmt.Errorf("settings of topic %s: %w", topic, resource.ErrorCode)
		}
		for _, e := range resource.Configs {
			settings[e.Name] = e.Value
		}
	}
	return settings, nil
}

func topicFindings(wanted kafka.TopicSpec, is sarama.TopicDetail, settings map[string]string,
	brokers int,
) (found []Finding) {
	say := func(level Level, do, format string, a ...any) {
		found = append(found, Finding{
			level, kafkaArea,
			fmt.Sprintf("topic %s %s", wanted.Name, fmt.Sprintf(format, a...)), do,
		})
	}
	if is.NumPartitions != wanted.Partitions {
		say(Broken, "set what is configured to what it has; for more see \"More partitions\" in config/README.md",
			"has %d partitions, configured are %d", is.NumPartitions, wanted.Partitions)
	}
	if policy := settings["cleanup.policy"]; policy != "" && policy != "delete" {
		say(Broken, "set cleanup.policy=delete: compaction removes records that were not read, and the offsets have holes",
			"has cleanup.policy %s", policy)
	}
	kept, err := strconv.ParseInt(settings["retention.ms"], 10, 64)
	if err == nil && kept >= 0 && time.Duration(kept)*time.Millisecond < wanted.Retention {
		say(Risk, "raise retention.ms: a consumer that is away for longer loses what was not read",
			"keeps records for %s, configured are %s", time.Duration(kept)*time.Millisecond, wanted.Retention)
	}
	if limit, err := strconv.ParseInt(settings["retention.bytes"], 10, 64); err == nil && limit >= 0 {
		say(Risk, "set retention.bytes=-1, or watch it: records go before their time, read or not",
			"keeps %s a partition at most", size(limit))
	}
	if brokers < 2 {
		return found // said once, of the cluster
	}
	if is.ReplicationFactor < 2 {
		say(Risk, "move it to more brokers (kafka-reassign-partitions), and set kafka.replication_factor for new ones",
			"has one replica: with its broker it is away, and with its disk it is lost")
	} else if inSync, err := strconv.Atoi(settings["min.insync.replicas"]); err == nil && inSync < 2 {
		say(Risk, "set min.insync.replicas=2: a broker that is alone acknowledges what it then loses",
			"has min.insync.replicas %d with %d replicas", inSync, is.ReplicationFactor)
	}
	return found
}

func (k Kafka) groups(admin sarama.ClusterAdmin) (found []Finding, err error) {
	names := make([]string, len(k.Groups))
	for i, g := range k.Groups {
		names[i] = k.Config.Topic(g)
	}
	groups, err := admin.DescribeConsumerGroups(names)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if len(g.Members) == 0 {
			found = append(found, Finding{
				Broken, kafkaArea, fmt.Sprintf("consumer group %s has no members", g.GroupId),
				"run the roles events-consumer and cdc-consumer: what is sent waits, and is lost when retention ends",
			})
		}
	}
	return found, nil
}
