//go:build real

package real_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/consumer"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/worker"
	"github.com/feedrank/feedrank/test/real/servers"
	"github.com/feedrank/feedrank/test/tables"
)

// eventDeadLetters keeps the events' dead letters, of which there must be none.
type eventDeadLetters struct {
	mu  sync.Mutex
	all []kafka.DeadLetter
}

func (g *eventDeadLetters) Publish(_ context.Context, letters []kafka.DeadLetter) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all = append(g.all, letters...)
	return nil
}

func TestEveryEventCountsOnceThoughKafkaAndClickHouseAreKilled(t *testing.T) {
	s, c := fresh(t)
	cfg := events.DefaultConfig()
	cfg.InsertTimeout = 5 * time.Second
	_, err := kafka.EnsureTopics(c.KafkaConfig, events.TopicSpecs(cfg, c.KafkaConfig), false)
	require.NoError(t, err)
	db := clickhouse.New(c.ClickHouseConfig, prometheus.NewRegistry())
	defer db.Close()
	dead := &eventDeadLetters{}
	failure := worker.FailureFunc(func(name string, err error) { t.Errorf("%s failed: %v", name, err) })
	consumer := consumer.New(cfg.Consumer(), c.KafkaConfig, db, dead, core.SystemClock{}, failure,
		prometheus.NewRegistry(), zaptest.NewLogger(t))
	require.NoError(t, consumer.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, consumer.Stop(ctx))
		require.Empty(t, dead.all)
	})

	const batches, size = 60, 100
	began := time.Now().UTC()
	var restarts sync.WaitGroup
	producer := kafka.NewProducer(c.KafkaConfig)
	for batch := range batches {
		if batch%15 == 7 {
			server := []servers.Server{s.Kafka, s.ClickHouse}[batch/15%2]
			require.NoError(t, server.Kill())
			restarts.Go(func() { _ = server.Start(t.Context()) }) // a failure shows in the counts
		}
		messages := make([]*sarama.ProducerMessage, size)
		for i := range messages {
			n := batch*size + i
			if i%5 == 4 { // every fifth is a copy of an older event
				n = n * 7 / 9
			}
			messages[i] = codec.Record(c.KafkaConfig.Topic(cfg.Topic), event(n, began))
		}
		// A client that gets no answer sends the same events again.
		require.True(t, eventually(time.Minute, 10*time.Millisecond,
			func() bool { return producer.Send(t.Context(), messages...) == nil }))
	}
	require.NoError(t, producer.Close())
	restarts.Wait()

	distinct := map[int]bool{}
	for n := range batches * size {
		if n%size%5 == 4 {
			n = n * 7 / 9
		}
		distinct[n] = true
	}
	records := (&scene{t: t, Stack: s, configs: c}).total(c.KafkaConfig.Topic(cfg.Topic))
	want := strconv.Itoa(len(distinct))
	accounted := ""
	require.True(t, eventually(time.Minute, 100*time.Millisecond, func() bool {
		accounted = count(t, db, "SELECT sum(rows + duplicates + dead_letters + missing) FROM event_ranges")
		return accounted == strconv.Itoa(records)
	}), "%s of %d records are accounted for", accounted, records)
	t.Logf("%d records of %s events", records, want)
	require.Greater(t, records, len(distinct))
	for what, query := range map[string]string{
		"raw rows":      "SELECT count() FROM events",
		"raw events":    "SELECT uniqExact(user_id, event_id) FROM events",
		"raw positions": "SELECT uniqExact(kafka_partition, kafka_offset) FROM events",
	} {
		require.Equal(t, want, count(t, db, query), what)
	}
	byPost, byAuthor := buckets(distinct, began)
	for want, query := range map[*map[string][7]int]string{
		&byPost: `SELECT concat(toString(toUnixTimestamp(hour)), ' ', toString(post_id), ' ', toString(author_id), ' ',
			arrayStringConcat([toString(sum(exposures)), toString(sum(views)), toString(sum(clicks)), toString(sum(likes)), toString(sum(comments)), toString(sum(shares)), toString(sum(hides))], ' ')) AS line
			FROM post_metrics_1h GROUP BY hour, post_id, author_id`,
		&byAuthor: `SELECT concat(toString(toUnixTimestamp(toDateTime(day, 'UTC'))), ' ', toString(user_id), ' ', toString(author_id), ' 0 ',
			arrayStringConcat([toString(sum(views)), toString(sum(clicks)), toString(sum(likes)), toString(sum(comments)), toString(sum(shares)), toString(sum(hides))], ' ')) AS line
			FROM user_author_90d GROUP BY day, user_id, author_id`,
	} {
		found, err := tables.Copies(t.Context(), db, query)
		require.NoError(t, err)
		require.ElementsMatch(t, lines(*want), found)
	}
}

// buckets are what both views must say, worked out from the events alone: exposures, views, clicks,
// likes, comments, shares, hides by "hour post author" and by "day user author".
func buckets(distinct map[int]bool, began time.Time) (byPost, byAuthor map[string][7]int) {
	byPost, byAuthor = map[string][7]int{}, map[string][7]int{}
	for n := range distinct {
		e := event(n, began)
		post := fmt.Sprint(e.OccurredAt.Truncate(time.Hour).Unix(), " ", e.PostID, " ", e.AuthorID)
		b := byPost[post]
		b[n%len(b)]++ // as the actions of event
		byPost[post] = b
		if e.Action == core.ActionImpression { // not counted by author
			continue
		}
		author := fmt.Sprint(e.OccurredAt.Truncate(24*time.Hour).Unix(), " ", e.UserID, " ", e.AuthorID)
		b = byAuthor[author]
		b[n%len(b)]++
		byAuthor[author] = b
	}
	return byPost, byAuthor
}

func lines(buckets map[string][7]int) (all []string) {
	for bucket, counts := range buckets {
		all = append(all, bucket+" "+strings.Trim(fmt.Sprint(counts), "[]"))
	}
	return all
}

// event is the n-th event: always the same one. Nobody does the same with a post twice.
func event(n int, began time.Time) core.Event {
	actions := []core.Action{
		core.ActionImpression, core.ActionView, core.ActionClick, core.ActionLike,
		core.ActionComment, core.ActionShare, core.ActionHide,
	}
	e := core.Event{
		UserID: core.ID(1 + n%50), PostID: core.ID(1 + n%30 + 30*(n/1050)), AuthorID: core.ID(1000 + n%30),
		Action:     actions[n%len(actions)],
		OccurredAt: began.Add(-time.Duration(n%48) * time.Hour), ReceivedAt: time.Now(), AppVersion: "1.2.3",
	}
	binary.BigEndian.PutUint64(e.ID[8:], uint64(n+1))
	return e
}

// count is the number that a query of one row and one column gives.
func count(t *testing.T, db *clickhouse.Client, query string) string {
	t.Helper()
	found, err := tables.Copies(t.Context(), db, "SELECT assumeNotNull(toString(("+query+"))) AS line")
	if err != nil || len(found) != 1 { // the server may be away
		return ""
	}
	return found[0]
}
