package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/IBM/sarama"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/backup"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// load sends events without a pause, and keeps what it sent: each of another user, every tenth of them twice.
type load struct {
	topic    string
	producer *kafka.Producer
	sent     atomic.Int64 // users
	posts    [60]int64    // by post, how many people saw it
	stop     context.CancelFunc
	ended    sync.WaitGroup
	failed   error
}

func (l *load) begin(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	l.ended.Go(func() {
		for ctx.Err() == nil && l.failed == nil {
			l.failed = l.send(20)
		}
	})
}

// end waits until the last one is sent.
func (l *load) end(t *testing.T) {
	t.Helper()
	l.stop()
	l.ended.Wait()
	require.NoError(t, l.failed)
}

func (l *load) send(people int) error {
	var batch []*sarama.ProducerMessage
	for range people {
		n := l.sent.Load()
		user, post := 1_000_000+n, n%60
		event := fmt.Sprintf(`{"v":1,"event_id":%q,"action":"impression","post_id":"%d","author_id":"%d","occurred_at":%q}`,
			uuid.NewString(), post+1, 2+(post+1)%18, time.Now().UTC().Format(time.RFC3339Nano))
		for range 1 + n%10/9 {
			batch = append(batch, &sarama.ProducerMessage{
				Topic: l.topic, Key: sarama.StringEncoder(fmt.Sprint(user)), Value: sarama.StringEncoder(event),
				Timestamp: time.Now(),
			})
		}
		l.posts[post]++
		l.sent.Add(1)
	}
	return l.producer.Send(context.Background(), batch...)
}

// run runs a program until the test, or whoever wants it away, stops it.
func run(t *testing.T, cfg config.Config) (stop func()) {
	t.Helper()
	running, err := app.Start(t.Context(), cfg, zap.NewNop())
	require.NoError(t, err)
	stop = sync.OnceFunc(func() { require.NoError(t, running.Stop()) })
	t.Cleanup(stop)
	return stop
}

// TestARestoredBackupGoesOnFromKafkaAndCountsEachEventOnce backs up under load, goes on, loses all that ClickHouse has,
// restores, and lets the consumers go on. Then the counts are those of what was sent: nothing is lost, nothing twice.
func TestARestoredBackupGoesOnFromKafkaAndCountsEachEventOnce(t *testing.T) {
	s := stack.Own(t)
	cfg := settings(t, s, "all")
	_, err := app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	stop := run(t, cfg)
	world(t, s)
	applied := func() int64 { return int64(s.Count(t, "SELECT count() AS n FROM events")) }
	wait.Until(t, func() bool { return s.Count(t, "SELECT count() AS n FROM posts FINAL") == 60 })
	producer := kafka.NewProducer(s.KafkaConfig)
	defer func() { require.NoError(t, producer.Close()) }()
	l := &load{topic: s.KafkaConfig.Topic("events"), producer: producer}
	l.begin(t)
	defer l.stop()
	wait.Until(t, func() bool { return applied() > 3000 })
	dir := filepath.Join(t.TempDir(), "backup")
	steps := map[string]bool{}
	ranged := func() int { return s.Count(t, "SELECT sum(rows) AS n FROM event_ranges") }
	made, err := app.Backup(t.Context(), cfg, dir, "file", func(step string, done, total int64) {
		steps[step] = true
		if step == "cloning" && (done < 9 || done == total-1) { // events go on from one clone to the next
			before := ranged()
			wait.Until(t, func() bool { return ranged() > before })
		}
	})
	require.NoError(t, err)
	require.Equal(t, map[string]bool{"postgres": true, "cloning": true, "counting": true, "clickhouse": true}, steps)
	kept := int64(made.ClickHouse.Tables["events"].Rows)
	require.Greater(t, kept, int64(3000))
	require.Zero(t, s.Count(t, `SELECT count() AS n FROM system.tables
		WHERE database = currentDatabase() AND name LIKE 'backup%'`), "clones are left")
	_, err = app.Backup(t.Context(), cfg, dir, "file", func(string, int64, int64) {})
	require.ErrorContains(t, err, "want a new folder")
	wait.Until(t, func() bool { return applied() > kept+3000 })
	l.end(t)
	stop()

	quiet := func(string, int64, int64) {}
	restore := func(dir string, part backup.Part) error {
		_, err := app.Restore(t.Context(), cfg, dir, "", part, quiet)
		return err
	}
	require.ErrorIs(t, restore(dir, backup.ClickHouseOnly), backup.ErrNotEmpty, "over what is there")
	require.NoError(t, s.ClickHouse.Write(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
		Body: "DROP DATABASE " + cfg.ClickHouse.Database + " SYNC",
	}}))
	require.ErrorContains(t, restore(dir, backup.ClickHouseOnly), "feedrank migrate")
	_, err = app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	damaged := filepath.Join(t.TempDir(), "damaged")
	require.NoError(t, os.CopyFS(damaged, os.DirFS(dir)))
	require.NoError(t, os.WriteFile(filepath.Join(damaged, "clickhouse.erased_users.jsonl"), []byte("{}\n"), 0o600))
	require.ErrorIs(t, restore(damaged, backup.ClickHouseOnly), backup.ErrDamaged)
	require.Zero(t, applied())
	require.NoError(t, restore(dir, backup.ClickHouseOnly))
	require.Equal(t, kept, applied(), "what was backed up is there, and nothing else")

	stop = run(t, cfg)
	for range 20 {
		require.NoError(t, l.send(20))
	}
	sent := l.sent.Load()
	wait.Until(t, func() bool { return applied() >= sent }, "sent %d", sent)
	exposures := func() (all [60]int64) {
		for post := range all {
			query := fmt.Sprintf("SELECT sum(exposures) AS n FROM post_metrics_1h WHERE post_id = %d", post+1)
			all[post] = int64(s.Count(t, query))
		}
		return all
	}
	wait.Until(t, func() bool { return exposures() == l.posts }, "want %v", l.posts)
	require.Equal(t, sent, applied(), "lost 0, double 0")
	require.EqualValues(t, sent, s.Count(t, "SELECT uniqExact(event_id) AS n FROM events"))
	require.Empty(t, findings(t, cfg), "the ledger has no gap, and the sums are those of its rows")
	_, err = app.Resync(t.Context(), cfg, "", true, 2*time.Second, t.Output())
	require.NoError(t, err)
	differences, err := app.Resync(t.Context(), cfg, "", false, 2*time.Second, t.Output())
	require.NoError(t, err)
	require.Zero(t, differences)
	stop()

	require.ErrorIs(t, restore(dir, backup.PostgresOnly), backup.ErrNotEmpty, "over what is there")
	exec(t, s, `DROP SCHEMA feedrank CASCADE`)
	_, err = app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	require.NoError(t, restore(dir, backup.PostgresOnly))
	for table, rows := range made.Postgres.Rows {
		var n int64
		require.NoError(t, s.Postgres.QueryRow(t.Context(), "SELECT count(*) FROM feedrank."+table).Scan(&n))
		require.Equal(t, rows, n, table)
	}
	require.Positive(t, made.Postgres.Rows["job_runs"])
	var lead, last, next int64
	require.NoError(t, s.Postgres.QueryRow(t.Context(), "SELECT max(number) FROM feedrank.job_lead").Scan(&lead))
	require.Greater(t, lead, int64(1_000_000_000), "Redis remembers the leaders of before")
	require.NoError(t, s.Postgres.QueryRow(t.Context(), "SELECT max(id) FROM feedrank.job_runs").Scan(&last))
	require.NoError(t, s.Postgres.QueryRow(t.Context(),
		"INSERT INTO feedrank.job_runs (job, lead, cause) VALUES ('x', 1, 'request') RETURNING id").Scan(&next))
	require.Greater(t, next, last, "no id twice")
}
