package embedded_test

import (
	"context"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded"
)

// store is what the tests do with a server: keep words and read them again.
type store struct {
	add  func(t *testing.T, word string)
	read func(t *testing.T) []string
}

// storeIn returns the store of a server, in stack.
func storeIn(stack *embedded.Stack, name string) store {
	a := stack.Addresses()
	switch name {
	case embedded.ClickHouse:
		return inClickHouse(*a.ClickHouse)
	case embedded.Postgres:
		return inPostgres(a.Postgres.DSN)
	case embedded.Kafka:
		return inKafka(a.Kafka.Brokers)
	default:
		return inRedis(a.Redis.Addr)
	}
}

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func inPostgres(dsn string) store {
	with := func(t *testing.T, do func(context.Context, *pgx.Conn)) {
		t.Helper()
		ctx := limited(t)
		conn, err := pgx.Connect(ctx, dsn)
		require.NoError(t, err)
		do(ctx, conn)
		require.NoError(t, conn.Close(ctx))
	}
	return store{
		add: func(t *testing.T, word string) {
			with(t, func(ctx context.Context, conn *pgx.Conn) {
				_, err := conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS words (id serial, word text)")
				require.NoError(t, err)
				_, err = conn.Exec(ctx, "INSERT INTO words (word) VALUES ($1)", word)
				require.NoError(t, err)
			})
		},
		read: func(t *testing.T) (words []string) {
			with(t, func(ctx context.Context, conn *pgx.Conn) {
				rows, err := conn.Query(ctx, "SELECT word FROM words ORDER BY id")
				require.NoError(t, err)
				words, err = pgx.CollectRows(rows, pgx.RowTo[string])
				require.NoError(t, err)
			})
			return words
		},
	}
}

func inClickHouse(a embedded.ClickHouseAddress) store {
	with := func(t *testing.T, queries ...ch.Query) {
		t.Helper()
		ctx := limited(t)
		client, err := ch.Dial(ctx, ch.Options{
			Address: a.Addr, User: a.User, Password: a.Password,
			Database: a.Database,
		})
		require.NoError(t, err)
		for _, query := range queries {
			require.NoError(t, client.Do(ctx, query), query.Body)
		}
		require.NoError(t, client.Close())
	}
	return store{
		add: func(t *testing.T, word string) {
			words := new(proto.ColStr)
			words.Append(word)
			with(t,
				ch.Query{Body: "CREATE TABLE IF NOT EXISTS words (word String) ENGINE = MergeTree ORDER BY word"},
				ch.Query{Body: "INSERT INTO words (word) VALUES", Input: proto.Input{{Name: "word", Data: words}}})
		},
		read: func(t *testing.T) (words []string) {
			column := new(proto.ColStr)
			with(t, ch.Query{
				Body:   "SELECT word FROM words ORDER BY word",
				Result: proto.Results{{Name: "word", Data: column}},
				OnResult: func(context.Context, proto.Block) error {
					return column.ForEach(func(_ int, word string) error {
						words = append(words, word)
						return nil
					})
				},
			})
			return words
		},
	}
}

func saramaConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.V2_8_0_0
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	return config
}

func inKafka(brokers []string) store {
	const topic = "words"
	return store{
		add: func(t *testing.T, word string) {
			admin, err := sarama.NewClusterAdmin(brokers, saramaConfig())
			require.NoError(t, err)
			err = admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false)
			if err != nil {
				require.ErrorIs(t, err, sarama.ErrTopicAlreadyExists)
			}
			require.NoError(t, admin.Close())
			producer, err := sarama.NewSyncProducer(brokers, saramaConfig())
			require.NoError(t, err)
			_, _, err = producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(word)})
			require.NoError(t, err)
			require.NoError(t, producer.Close())
		},
		read: func(t *testing.T) (words []string) {
			client, err := sarama.NewClient(brokers, saramaConfig())
			require.NoError(t, err)
			end, err := client.GetOffset(topic, 0, sarama.OffsetNewest)
			require.NoError(t, err)
			consumer, err := sarama.NewConsumerFromClient(client)
			require.NoError(t, err)
			records, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
			require.NoError(t, err)
			for int64(len(words)) < end {
				select {
				case record := <-records.Messages():
					words = append(words, string(record.Value))
				case <-limited(t).Done():
					t.Fatal("records are missing")
				}
			}
			require.NoError(t, records.Close())
			require.NoError(t, consumer.Close())
			require.NoError(t, client.Close())
			return words
		},
	}
}

func inRedis(addr string) store {
	with := func(t *testing.T, do func(context.Context, rueidis.Client)) {
		t.Helper()
		client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}, DisableCache: true})
		require.NoError(t, err)
		do(limited(t), client)
		client.Close()
	}
	return store{
		add: func(t *testing.T, word string) {
			with(t, func(ctx context.Context, client rueidis.Client) {
				require.NoError(t, client.Do(ctx, client.B().Rpush().Key("words").Element(word).Build()).Error())
			})
		},
		read: func(t *testing.T) (words []string) {
			with(t, func(ctx context.Context, client rueidis.Client) {
				var err error
				words, err = client.Do(ctx, client.B().Lrange().Key("words").Start(0).Stop(-1).Build()).AsStrSlice()
				require.NoError(t, err)
			})
			return words
		},
	}
}
