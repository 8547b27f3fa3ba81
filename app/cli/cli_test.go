package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/user"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/audit"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/deadletter"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { stack.Main(m) }

// console runs commands on a stack.
type console struct {
	*stack.Stack
	cfg config.Config
}

func newConsole(t *testing.T) *console {
	t.Helper()
	c := &console{Stack: stack.New(t)}
	c.cfg = config.Default()
	c.cfg.Postgres, c.cfg.ClickHouse, c.cfg.Kafka = c.PostgresConfig, c.ClickHouseConfig, c.KafkaConfig
	c.cfg.Redis, c.cfg.Roles, c.cfg.HTTP.Addr = c.RedisConfig, []string{"events-consumer"}, "127.0.0.1:0"
	c.cfg.Kafka.SessionTimeout, c.cfg.Events.Partitions, c.cfg.Audit.Settle = 6*time.Second, 2, 0
	_, err := app.Migrate(t.Context(), c.cfg, false)
	require.NoError(t, err)
	return c
}

func (c *console) consume(t *testing.T) {
	t.Helper()
	program, err := app.Start(t.Context(), c.cfg, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, program.Stop()) })
}

func (c *console) exec(t *testing.T, statement string) {
	t.Helper()
	require.NoError(t, c.ClickHouse.Write(t.Context(),
		clickhouse.Query{Name: "test", Query: ch.Query{Body: statement}}))
}

// run gives what a command printed.
func (c *console) run(t *testing.T, make func(loader) *cobra.Command, args ...string) (string, error) {
	t.Helper()
	command := make(func(*cobra.Command) func() (config.Config, error) {
		return func() (config.Config, error) { return c.cfg, nil }
	})
	var out bytes.Buffer
	command.SetArgs(args)
	command.SetOut(&out)
	command.SetErr(&out)
	command.SilenceUsage, command.SilenceErrors = true, true
	err := command.ExecuteContext(t.Context())
	return out.String(), err
}

// send writes records of events to the topic, one of them no event.
func (c *console) send(t *testing.T, n int) {
	t.Helper()
	producer := kafka.NewProducer(c.cfg.Kafka)
	topic := c.cfg.Kafka.Topic(c.cfg.Events.Topic)
	var messages []*sarama.ProducerMessage
	for i := range n {
		e := core.Event{
			UserID: core.ID(1 + i%7), PostID: 3, AuthorID: 100, Action: core.ActionView,
			OccurredAt: time.Now().Add(-26 * time.Hour), ReceivedAt: time.Now(),
		}
		e.ID[0] = byte(i + 1) // an id of zeros is none
		messages = append(messages, codec.Record(topic, e))
	}
	poison := *messages[0]
	poison.Value = sarama.StringEncoder("{")
	require.NoError(t, producer.Send(t.Context(), append(messages, &poison)...))
	require.NoError(t, producer.Close())
}

func TestADeadLetterIsListedShownReplayedAndDiscardedByCommand(t *testing.T) {
	c := newConsole(t)
	c.send(t, 10)
	c.consume(t)
	var listed string
	wait.Until(t, func() bool {
		var err error
		listed, err = c.run(t, dlqCommand, "list", "--json")
		return err == nil && listed != ""
	})
	var letter struct{ ID, Reason, Topic string }
	require.NoError(t, json.Unmarshal([]byte(listed), &letter))
	require.Equal(t, "malformed", letter.Reason)

	out, err := c.run(t, dlqCommand, "list", "--reason", "malformed", "--since", "1h", "--topic", letter.Topic)
	require.NoError(t, err)
	require.Contains(t, out, letter.ID)
	out, err = c.run(t, dlqCommand, "list", "--until", "1h")
	require.NoError(t, err)
	require.NotContains(t, out, letter.ID)
	out, err = c.run(t, dlqCommand, "show", letter.ID)
	require.NoError(t, err)
	require.Contains(t, out, `"text": "{"`)

	out, err = c.run(t, dlqCommand, "replay", "--id", letter.ID, "--dry-run")
	require.NoError(t, err)
	require.Contains(t, out, "1 letters match, 0 done")
	out, err = c.run(t, dlqCommand, "replay", "--all")
	require.NoError(t, err)
	require.Contains(t, out, "1 letters match, 1 done")
	wait.Until(t, func() bool { // it is as bad as it was
		out, err := c.run(t, dlqCommand, "list", "--json")
		return err == nil && strings.Count(out, "\n") == 1 && !strings.Contains(out, letter.ID)
	})
	out, err = c.run(t, dlqCommand, "discard", "--reason", "malformed", "--json")
	require.NoError(t, err)
	require.Contains(t, out, `{"matched":1,"done":1,"skipped":0}`)
	out, err = c.run(t, dlqCommand, "list", "--state", "discarded", "--json")
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(out, "\n"))

	_, err = c.run(t, dlqCommand, "replay", "--queue", "cdc", "--all")
	require.ErrorIs(t, err, deadletter.ErrNoReplay)
	require.Equal(t, []string{
		`dead_letters.discard  200 {"queue": "events", "reason": "malformed"} {"done": 1, "matched": 1, "skipped": 0}`,
		`dead_letters.replay  200 {"queue": "events"} {"done": 1, "matched": 1, "skipped": 0}`,
	}, c.recorded(t), "what only looked, and what was refused, is not among them")
}

// recorded are the actions of this machine's user, the latest first.
func (c *console) recorded(t *testing.T) (all []string) {
	t.Helper()
	me, err := user.Current()
	require.NoError(t, err)
	host, err := os.Hostname()
	require.NoError(t, err)
	rows, err := c.Postgres.Query(t.Context(), `SELECT concat_ws(' ', what, target, status, before, after) FROM feedrank.admin_actions
		WHERE who = $1 AND address = $2 AND request_id = 'cli' AND at BETWEEN now() - interval '1 hour' AND now() ORDER BY id DESC`, me.Username, host)
	require.NoError(t, err)
	all, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}

// TestACommandIsDoneThoughItsRecordCannotBeWritten has PostgreSQL refuse the row: that is said, and undoes nothing.
func TestACommandIsDoneThoughItsRecordCannotBeWritten(t *testing.T) {
	c := newConsole(t)
	_, err := c.Postgres.Exec(t.Context(), "ALTER TABLE feedrank.admin_actions RENAME TO away")
	require.NoError(t, err)
	out, err := c.run(t, dlqCommand, "discard", "--all")
	require.NoError(t, err)
	require.Contains(t, out, "this is not in feedrank.admin_actions (dead_letters.discard by ")
	require.Contains(t, out, "0 letters match")
}

func TestACommandThatIsCalledWronglySaysHow(t *testing.T) {
	c := &console{cfg: config.Default()}
	for _, args := range [][]string{
		{},
		{"nonsense"},
		{"list", "--queue", "x"},
		{"list", "--state", "x"},
		{"list", "--since", "soon"},
		{"list", "--id", "x"},
		{"list", "--limit", "0"},
		{"list", "--after", "-1"},
		{"list", "x"},
		{"show"},
		{"show", "x"},
		{"replay"},
		{"discard", "--queue", "events"},
		{"quarantine"},
		{"quarantine", "--partition", "1", "--first", "7", "--last", "3"},
	} {
		_, err := c.run(t, dlqCommand, args...)
		require.ErrorIs(t, err, ErrUsage, "%v", args)
	}
	_, err := c.run(t, auditCommand, "--since", "1m")
	require.ErrorIs(t, err, ErrUsage)
}

func TestAnAuditByCommandFailsUntilWhatIsWrongIsRepaired(t *testing.T) {
	c := newConsole(t)
	// whose views count
	c.exec(t, "INSERT INTO posts (id, author_id, created_at, version) VALUES (3, 100, now() - INTERVAL 2 DAY, 1)")
	c.send(t, 10)
	c.consume(t)
	wait.Until(t, func() bool {
		out, err := c.run(t, auditCommand, "--since", "72h")
		return err == nil && strings.Contains(out, "rows=10 findings=0")
	})

	wrong := "INSERT INTO user_author_90d SELECT user_id, author_id, day, kafka_partition, 5, 0, 0, 0, 0, 0 FROM user_author_90d ORDER BY user_id LIMIT 1"
	c.exec(t, wrong)
	out, err := c.run(t, auditCommand, "--since", "72h")
	require.ErrorIs(t, err, app.ErrAudit)
	require.Contains(t, out, "view_differs (1): user_author_90d, partition ")
	require.Contains(t, out, "lacks views -5")
	out, err = c.run(t, auditCommand, "--since", "72h", "--repair", "--json")
	require.NoError(t, err)
	var report audit.Report
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.EqualValues(t, 1, report.Repaired)
	_, err = c.run(t, auditCommand, "--since", "72h")
	require.NoError(t, err)

	c.exec(t, wrong)
	out, err = c.run(t, rebuildViewsCommand)
	require.NoError(t, err)
	require.Contains(t, out, ": 1 buckets changed")
	_, err = c.run(t, dlqCommand, "quarantine", "--partition", "0", "--first", "3", "--timeout", "30s")
	require.ErrorContains(t, err, "none of these offsets")
	require.Equal(t, []string{
		`dead_letters.quarantine 0 200 {"last": 3, "first": 3} {"sent": 0}`,
		`views.rebuild  200 {"buckets_changed": 1}`,
		`audit.run  200 {"since": "72h0m0s", "repair": true} {"findings": 1, "repaired": 1}`,
	}, c.recorded(t))
}
