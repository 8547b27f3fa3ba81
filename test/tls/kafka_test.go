package tls

import (
	"context"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// broker is a Kafka with one topic.
func broker(t *testing.T, options ...kfake.Opt) kafka.Config {
	t.Helper()
	cluster, err := kfake.NewCluster(append(options, kfake.NumBrokers(1), kfake.SeedTopics(1, "things"),
		kfake.GroupMinSessionTimeout(time.Second))...)
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.SessionTimeout, cfg.DialTimeout = cluster.ListenAddrs(), 6*time.Second, 5*time.Second
	return cfg
}

// reads is a group member that hands on what it reads.
type reads chan string

func (reads) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (reads) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (r reads) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case m, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			r <- string(m.Value)
		case <-session.Context().Done():
			return nil
		}
	}
}

// works goes all ways that we speak to Kafka: a ping, a record written, and read in a group.
func works(t *testing.T, cfg kafka.Config) error {
	t.Helper()
	if err := cfg.Ping(t.Context()); err != nil {
		return err
	}
	producer := kafka.NewProducer(cfg)
	defer func() { require.NoError(t, producer.Close()) }()
	if err := producer.Send(t.Context(), &sarama.ProducerMessage{
		Topic: "things",
		Value: sarama.StringEncoder("secret"),
	}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, ended := make(reads, 10), make(chan error, 1)
	go func() {
		ended <- kafka.RunGroup(ctx, cfg, "group", []string{"things"}, r, core.SystemClock{}, zap.NewNop())
	}()
	defer func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	}()
	select {
	case got := <-r:
		require.Equal(t, "secret", got)
		return nil
	case <-time.After(30 * time.Second):
		return context.DeadlineExceeded
	}
}

func TestKafkaOverTLS(t *testing.T) {
	trusted := newAuthority(t, "ours")
	for _, x := range trials(t, trusted) {
		t.Run(x.name, func(t *testing.T) {
			cfg := broker(t, kfake.TLS(trusted.server(x.mutual)))
			cfg.TLS = x.client
			if !x.enters {
				cfg.DialTimeout = time.Second // who speaks in the clear waits for an answer
			}
			x.judge(t, works(t, cfg))
		})
	}
}

func TestLoginsToKafka(t *testing.T) {
	trusted := newAuthority(t, "ours")
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			cfg := broker(t, kfake.TLS(trusted.server(false)), kfake.EnableSASL(),
				kfake.Superuser(mechanism, "feedrank", "a word"))
			cfg.TLS.Enabled, cfg.TLS.CAFile = true, trusted.File
			cfg.SASL = kafka.SASL{Mechanism: mechanism, User: "feedrank", Password: "a word"}
			require.NoError(t, works(t, cfg))
			for name, change := range map[string]func(*kafka.SASL){
				"another word": func(s *kafka.SASL) { s.Password = "another word" },
				"a stranger":   func(s *kafka.SASL) { s.User = "stranger" },
				"no login":     func(s *kafka.SASL) { *s = kafka.SASL{} },
			} {
				wrong := cfg
				wrong.DialTimeout = time.Second
				change(&wrong.SASL)
				require.Error(t, works(t, wrong), name)
			}
		})
	}
}
