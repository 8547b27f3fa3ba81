package kafka

import (
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/modules/platform/tlsconfig"
)

// Config says where Kafka is and how to speak to it.
type Config struct {
	Brokers           []string         `koanf:"brokers" validate:"min=1,dive,hostname_port"`
	TopicPrefix       string           `koanf:"topic_prefix" validate:"omitempty,topic"`   // before every topic and group of ours
	ReplicationFactor int16            `koanf:"replication_factor" validate:"gte=1,lte=9"` // of topics that `feedrank migrate` creates; 3 in production: from 3 on, more than half must have a record before it is taken
	SessionTimeout    time.Duration    `koanf:"session_timeout" validate:"gte=1s,lte=5m"`  // a consumer that is silent for so long loses its partitions
	DialTimeout       time.Duration    `koanf:"dial_timeout" validate:"gte=10ms,lte=1m"`
	ProduceTimeout    time.Duration    `koanf:"produce_timeout" validate:"gte=100ms,lte=5m"` // until all replicas acknowledged
	SASL              SASL             `koanf:"sasl"`
	TLS               tlsconfig.Config `koanf:"tls"`
}

// SASL says how we log in.
type SASL struct {
	Mechanism string `koanf:"mechanism" validate:"omitempty,oneof=PLAIN SCRAM-SHA-256 SCRAM-SHA-512"` // empty: no login
	User      string `koanf:"user" validate:"required_with=Mechanism"`
	Password  string `koanf:"password" secret:"true"`
}

// DefaultConfig is a broker on this machine.
func DefaultConfig() Config {
	return Config{
		Brokers: []string{"127.0.0.1:9092"}, ReplicationFactor: 1, SessionTimeout: 10 * time.Second,
		DialTimeout: 2 * time.Second, ProduceTimeout: 5 * time.Second,
	}
}

// Topic is the full name of a topic of ours.
func (c Config) Topic(name string) string { return c.TopicPrefix + name }

// Sarama is the library's configuration with the defaults that would lose or repeat data changed.
func (c Config) Sarama() (*sarama.Config, error) {
	out := sarama.NewConfig()
	out.ClientID = "feedrank"
	out.Version = sarama.V3_6_0_0
	out.Net.DialTimeout = c.DialTimeout
	rejoin := max(10*time.Second, c.SessionTimeout)
	// The broker answers a member that joins once the others joined too or were given up:
	// whoever gives up before that joins, leaves and is joined anew for ever.
	out.Net.ReadTimeout = max(rejoin, c.ProduceTimeout) + 5*time.Second
	out.Net.WriteTimeout = out.Net.ReadTimeout
	out.Metadata.AllowAutoTopicCreation = false
	out.Metadata.Retry.Max = 3
	out.Metadata.RefreshFrequency = 5 * time.Second // a consumer group sees partitions that were added as often

	// Acknowledged by all replicas, in order. Not idempotent: a repeat is recognised by its event id
	// or its position, and an idempotent producer that lost its sequence must be made anew.
	out.Producer.RequiredAcks = sarama.WaitForAll
	out.Producer.Return.Successes = true
	out.Producer.Return.Errors = true
	out.Producer.Timeout = c.ProduceTimeout
	out.Producer.Retry.Max = 5
	out.Producer.Compression = sarama.CompressionLZ4
	out.Producer.Partitioner = sarama.NewMurmur2Partitioner // as the Java clients do
	out.Net.MaxOpenRequests = 1

	// The log is read from where we are, from its beginning at first, and commits are ours alone.
	out.Consumer.Offsets.Initial = sarama.OffsetOldest
	out.Consumer.Offsets.AutoCommit.Enable = false
	out.Consumer.Group.ResetInvalidOffsets = false
	out.Consumer.Return.Errors = true
	out.Consumer.IsolationLevel = sarama.ReadCommitted // what its producer took back never was
	out.Consumer.MaxProcessingTime = time.Minute
	out.Consumer.MaxWaitTime = 100 * time.Millisecond
	out.Consumer.Group.Session.Timeout = c.SessionTimeout
	out.Consumer.Group.Heartbeat.Interval = c.SessionTimeout / 4
	out.Consumer.Group.Rebalance.Timeout = rejoin // a member that does not come back holds the others up no longer
	out.Consumer.Group.Rebalance.Retry.Backoff = 250 * time.Millisecond
	out.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategySticky()}

	tlsConfig, err := c.TLS.Client()
	if err != nil {
		return nil, fmt.Errorf("kafka.%w", err)
	}
	out.Net.TLS.Enable, out.Net.TLS.Config = tlsConfig != nil, tlsConfig
	c.SASL.apply(out)
	if err := out.Validate(); err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return out, nil
}
