package e2e

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/doctor"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// says tells whether one of the findings has these words and this level.
func says(r doctor.Report, level doctor.Level, words string) bool {
	for _, f := range r.Findings {
		if f.Level == level && strings.Contains(f.Area+": "+f.Says, words) && f.Do != "" {
			return true
		}
	}
	return false
}

// nowhere is an address at which nothing listens.
func nowhere(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

func TestADoctorFindsWhatIsPlantedAndNothingElse(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "all")
	p := start(t, cfg)
	examine := func(cfg config.Config) doctor.Report {
		r, err := app.Doctor(t.Context(), cfg, []string{p.url})
		require.NoError(t, err)
		return r
	}

	require.True(t, says(examine(cfg), doctor.Advice, "nobody has collected its metrics"))
	wait.Until(t, func() bool { return examine(cfg).Well() }, "the deployment to be well")
	well := examine(cfg)
	require.False(t, says(well, doctor.Advice, "nobody has collected"), "it was collected by now")
	for _, f := range well.Findings {
		require.Equal(t, doctor.Advice, f.Level, f.Says)
	}
	require.Greater(t, len(well.Looked), 14, "looked at: %v, not: %v", well.Looked, well.NotLooked)

	_, err := s.Postgres.Exec(t.Context(), `INSERT INTO users (id, name) VALUES (1, 'n');
		INSERT INTO posts (id, author_id, body) VALUES (1, 1, 'b'), (2, 1, 'b');
		INSERT INTO likes (user_id, post_id) VALUES (1, 2);
		ALTER TABLE posts ADD COLUMN reset_token bigint NOT NULL DEFAULT 1`)
	require.NoError(t, err)
	unread := "unread_" + cfg.CDC.Source.Slot
	_, err = s.Postgres.Exec(t.Context(), "SELECT pg_create_logical_replication_slot($1, 'pgoutput')", unread)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := s.Postgres.Exec(context.WithoutCancel(t.Context()), "SELECT pg_drop_replication_slot($1)", unread)
		require.NoError(t, err)
	})
	wait.Until(t, func() bool { return s.Count(t, "SELECT count() AS n FROM posts") == 2 }, "posts to arrive")

	for name, fault := range map[string]struct {
		plant func(*config.Config)
		level doctor.Level
		says  string
	}{
		"PostgreSQL is away": {func(c *config.Config) {
			c.Postgres.DSN = "postgres://feedrank@" + nowhere(t) + "/feedrank_app?sslmode=disable"
		}, doctor.Broken, "postgres: does not answer"},
		"a mapped column is gone": {func(c *config.Config) {
			c.CDC.Tables.Post.Columns = map[string]string{"author_id": "writer_id"}
		}, doctor.Broken, "writer_id"},
		"a mapped column is a secret": {func(c *config.Config) {
			c.CDC.Tables.Post.Columns = map[string]string{"author_id": "reset_token"}
		}, doctor.Advice, "looks like a secret"},
		"a mapped table is gone": {func(c *config.Config) {
			c.CDC.Tables.Like.Table = "public.favourites"
		}, doctor.Broken, "public.favourites"},
		"likes count from nowhere": {func(c *config.Config) {
			c.Engagement.Likes = "events"
		}, doctor.Advice, "likes_from is events, so the 1 rows"},
		"there is no slot": {func(c *config.Config) {
			c.CDC.Source.Slot = "nobody_made_it"
		}, doctor.Broken, "there is no replication slot nobody_made_it"},
		"nobody reads the slot": {func(c *config.Config) {
			c.CDC.Source.Slot = unread
		}, doctor.Broken, "nobody reads replication slot " + unread},
		"the publication is gone": {func(c *config.Config) {
			c.CDC.Source.Publication = "nobody_made_it"
		}, doctor.Broken, "publication nobody_made_it is gone"},
		"ClickHouse is away": {func(c *config.Config) {
			c.ClickHouse.Addrs = []string{nowhere(t)}
		}, doctor.Broken, "clickhouse: does not answer"},
		"the password is wrong": {func(c *config.Config) {
			c.ClickHouse.Password = "guessed"
		}, doctor.Broken, "clickhouse: does not answer"},
		"the schema is not migrated": {func(c *config.Config) {
			c.ClickHouse.Database = embeddedtest.NewClickHouseDatabase(t)
		}, doctor.Broken, "not migrated: clickhouse 0001"},
		"more posts than places in memory": {func(c *config.Config) {
			c.Feed.Hot.MaxPosts = 1
		}, doctor.Risk, "2 posts are younger than feed.hot.window"},
		"Kafka is away": {func(c *config.Config) {
			c.Kafka.Brokers = []string{nowhere(t)}
		}, doctor.Broken, "kafka: does not answer"},
		"a topic is missing": {func(c *config.Config) {
			c.Events.Topic = "elsewhere"
		}, doctor.Broken, "there is no topic " + cfg.Kafka.Topic("elsewhere")},
		"a topic has other partitions": {func(c *config.Config) {
			c.Events.Partitions++
		}, doctor.Broken, "partitions, configured are"},
		"a topic keeps records for too short": {func(c *config.Config) {
			c.Events.Retention += time.Hour
		}, doctor.Risk, "keeps records for"},
		"a topic is compacted": {func(*config.Config) {
			alter(t, cfg.Kafka, cfg.Kafka.Topic(cfg.DeadLetter.CDCTopic), "cleanup.policy", "compact")
		}, doctor.Broken, "has cleanup.policy compact"},
		"a topic is bounded by its size": {func(*config.Config) {
			alter(t, cfg.Kafka, cfg.Kafka.Topic(cfg.DeadLetter.EventsTopic), "retention.bytes", "1048576")
		}, doctor.Risk, "keeps 1024 KiB a partition at most"},
		"nobody consumes": {func(c *config.Config) {
			c.CDC.Consumer.Group = "nobody"
		}, doctor.Broken, "consumer group " + cfg.Kafka.Topic("nobody") + " has no members"},
		"Redis is away": {func(c *config.Config) {
			c.Redis.Addrs = []string{nowhere(t)}
		}, doctor.Broken, "redis: does not answer"},
	} {
		with := cfg
		fault.plant(&with)
		r := examine(with)
		require.True(t, says(r, fault.level, fault.says), "%s: %+v", name, r.Findings)
		require.False(t, r.Well() && fault.level != doctor.Advice, name)
	}

	r, err := app.Doctor(t.Context(), cfg, []string{"http://" + nowhere(t)})
	require.NoError(t, err)
	require.True(t, says(r, doctor.Broken, "does not answer"), "a replica that is away")
}

func TestADoctorFindsAReplicaThatIsDegraded(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "api")
	cfg.Redis.Addrs = []string{nowhere(t)}
	p := start(t, cfg)
	r, err := app.Doctor(t.Context(), cfg, []string{p.url})
	require.NoError(t, err)
	require.True(t, says(r, doctor.Broken, "redis: "), "%+v", r.Findings)
}

// alter sets one setting of a topic.
func alter(t *testing.T, cfg kafka.Config, topic, name, value string) {
	t.Helper()
	config, err := cfg.Sarama()
	require.NoError(t, err)
	admin, err := sarama.NewClusterAdmin(cfg.Brokers, config)
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	require.NoError(t, admin.IncrementalAlterConfig(sarama.TopicResource, topic,
		map[string]sarama.IncrementalAlterConfigsEntry{
			name: {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value},
		}, false))
}
