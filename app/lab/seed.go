//go:build !production

package lab

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/IBM/sarama"

	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/lab/seed"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/postgres"
)

// Seed puts a synthetic world into the app's database and its events on the events path: through the
// API at url as their users, or, where url is empty, straight into the topic as the API would write
// them.
func Seed(ctx context.Context, cfg config.Config, options seed.Options, url string, out io.Writer) (seed.Report,
	error,
) {
	pool, err := postgres.NewPool(ctx, cfg.Postgres)
	if err != nil {
		return seed.Report{}, err
	}
	defer pool.Close()
	sinks := seed.Sinks{Postgres: pool}
	if url != "" {
		sinks.Events = poster(cfg, options.Keys, url)
	} else {
		producer := kafka.NewProducer(cfg.Kafka)
		defer func() { _ = producer.Close() }() // every send was acknowledged
		sinks.Events = topic{name: cfg.Kafka.Topic(cfg.Events.Topic), keys: options.Keys, producer: producer}
	}
	return seed.Run(ctx, options, sinks, core.SystemClock{}, out)
}

// poster sends events through the API, each as its user.
func poster(cfg config.Config, keys seed.Keys, url string) *seed.Poster {
	return seed.NewPoster(seed.PosterConfig{
		BaseURL: url, Keys: keys, Client: &http.Client{Timeout: 10 * time.Second}, Concurrency: 8,
		Patience: time.Minute,
		Token: func(user core.Key) (string, error) {
			return auth.SignUser(cfg.Auth, user, false, time.Hour, time.Now())
		},
	})
}

// tokens signs development tokens for users.
func tokens(cfg config.Config) func(core.ID) (string, error) {
	return func(user core.ID) (string, error) { return auth.Sign(cfg.Auth, user, false, time.Hour, time.Now()) }
}

// topic writes events into Kafka in bulk.
type topic struct {
	name     string
	keys     seed.Keys
	producer *kafka.Producer
}

func (t topic) Send(ctx context.Context, all []core.Event) error {
	records := make([]*sarama.ProducerMessage, len(all))
	for i, e := range all {
		e.ReceivedAt = time.Now() // as the API would have said
		record := codec.FromCore(&e)
		record.SetKeys(t.keys.User(e.UserID), t.keys.Post(e.PostID), t.keys.User(e.AuthorID))
		records[i] = codec.Encode(t.name, &record)
	}
	if err := t.producer.Send(ctx, records...); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	return nil
}
