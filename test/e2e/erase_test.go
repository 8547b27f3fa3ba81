package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/IBM/sarama"
	"github.com/google/uuid"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/audit"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/erase"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
)

// person is who is erased. No other number has these digits, so that a search finds nothing else.
const person = core.ID(987654321098765)

// life gives the person a past among the others: rows of every kind, in both directions, and events.
func life(t *testing.T, s *stack.Stack, producer *kafka.Producer) {
	t.Helper()
	exec(t, s, `INSERT INTO users (id, name) VALUES ($1, 'the person')`, int64(person))
	exec(t, s, `INSERT INTO posts (id, author_id, created_at) SELECT 700000 + n, $1, now() - n * interval '1 minute' FROM generate_series(1, 5) n`, int64(person))
	exec(t, s, `INSERT INTO follows (follower_id, followee_id) SELECT $1, n FROM generate_series(2, 5) n`,
		int64(person))
	exec(t, s, `INSERT INTO follows (follower_id, followee_id) SELECT n, $1 FROM generate_series(1, 4) n`,
		int64(person))
	exec(t, s, `INSERT INTO likes (user_id, post_id) SELECT $1, id FROM posts WHERE author_id = 3`, int64(person))
	exec(t, s, `INSERT INTO likes (user_id, post_id) SELECT 6, id FROM posts WHERE author_id = $1`, int64(person))
	exec(t, s, `INSERT INTO comments (post_id, author_id) SELECT id, $1 FROM posts WHERE author_id = 4`, int64(person))
	exec(t, s, `INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, 7), (8, $1)`, int64(person))
	exec(t, s, `INSERT INTO mutes (muter_id, muted_id) VALUES ($1, 9), (10, $1)`, int64(person))
	// its key names them
	exec(t, s, `DELETE FROM likes WHERE user_id = $1 AND post_id = (SELECT min(post_id) FROM likes WHERE user_id = $1)`,
		int64(person))
	for hour := range 30 { // closed hours of two days, and the one that is open
		at := time.Now().Add(-time.Duration(hour) * time.Hour)
		for _, action := range []string{"view", "like", "comment", "impression", "dwell"} {
			send(t, s, producer, person, action, 1, 3, at)
			send(t, s, producer, 6, action, 1, 3, at)           // stays
			send(t, s, producer, 6, action, 700001, person, at) // of another about them
		}
	}
}

// send writes an event to Kafka, as the API does.
func send(t *testing.T, s *stack.Stack, producer *kafka.Producer, user core.ID, action string, post, author core.ID,
	at time.Time,
) {
	t.Helper()
	dwell := ""
	if action == "dwell" {
		dwell = `,"dwell_ms":1500`
	}
	require.NoError(t, producer.Send(t.Context(), &sarama.ProducerMessage{
		Topic: s.KafkaConfig.Topic("events"), Key: sarama.StringEncoder(user.String()), Timestamp: time.Now(),
		Value: sarama.StringEncoder(fmt.Sprintf(`{"v":1,"event_id":%q,"action":%q,"post_id":"%d","author_id":"%d","occurred_at":%q%s}`,
			uuid.NewString(), action, post, author, at.UTC().Format(time.RFC3339), dwell)),
	}))
}

// leftovers finds the person anywhere but on the list of who is erased: in every column of every table of
// ours in ClickHouse and PostgreSQL, and in every key of Redis. It knows nothing of what is where.
func leftovers(t *testing.T, s *stack.Stack) (found []string) {
	t.Helper()
	var table, column proto.ColStr
	var all [][2]string
	require.NoError(t, s.ClickHouse.Read(t.Context(), clickhouse.Query{Name: "test", Query: ch.Query{
		Body: `SELECT table, name FROM system.columns WHERE database = currentDatabase() AND table NOT IN ('erased_users', 'erasures')
			AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine NOT LIKE '%View')`,
		Result: proto.Results{{Name: "table", Data: &table}, {Name: "name", Data: &column}},
		OnResult: func(context.Context, proto.Block) error {
			for i := range table.Rows() {
				all = append(all, [2]string{table.Row(i), column.Row(i)})
			}
			return nil
		},
	}}))
	require.Greater(t, len(all), 100)
	for _, c := range all {
		if n := s.Count(t, fmt.Sprintf("SELECT count() AS n FROM %s WHERE position(toString(%s), '%d') > 0", c[0],
			c[1], person)); n > 0 {
			found = append(found, fmt.Sprintf("clickhouse %s.%s: %d rows", c[0], c[1], n))
		}
	}
	if n := s.Count(t,
		fmt.Sprintf("SELECT count() AS n FROM system.mutations WHERE database = currentDatabase() AND position(command, '%d') > 0", person)); n > 0 {
		found = append(found, "clickhouse: a mutation names the person")
	}
	rows, err := s.Postgres.Query(t.Context(),
		`SELECT table_name FROM information_schema.tables WHERE table_schema = 'feedrank'`)
	require.NoError(t, err)
	var tables []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		tables = append(tables, name)
	}
	require.NoError(t, rows.Err())
	for _, name := range tables {
		var n int
		require.NoError(t, s.Postgres.QueryRow(t.Context(),
			fmt.Sprintf(`SELECT count(*) FROM feedrank.%s r WHERE to_jsonb(r)::text LIKE '%%%d%%'`, name,
				person)).Scan(&n))
		if n > 0 {
			found = append(found, fmt.Sprintf("postgres feedrank.%s: %d rows", name, n))
		}
	}
	return append(found, keysOf(t, s)...)
}

// keysOf finds the person in Redis: in names of keys, and in what they hold, as text.
func keysOf(t *testing.T, s *stack.Stack) (found []string) {
	t.Helper()
	conn, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: s.RedisConfig.Addrs, DisableCache: true,
		ForceSingleClient: true,
	})
	require.NoError(t, err)
	defer conn.Close()
	keys, err := conn.Do(t.Context(), conn.B().Keys().Pattern("*").Build()).AsStrSlice()
	require.NoError(t, err)
	for _, key := range keys {
		kind, err := conn.Do(t.Context(), conn.B().Type().Key(key).Build()).ToString()
		require.NoError(t, err)
		content := key
		switch kind {
		case "string":
			if text, err := conn.Do(t.Context(), conn.B().Get().Key(key).Build()).ToString(); err == nil {
				content += text
			}
		case "list":
			all, err := conn.Do(t.Context(), conn.B().Lrange().Key(key).Start(0).Stop(-1).Build()).AsStrSlice()
			require.NoError(t, err)
			content += strings.Join(all, " ")
		case "zset":
			all, err := conn.Do(t.Context(), conn.B().Zrange().Key(key).Min("0").Max("-1").Build()).AsStrSlice()
			require.NoError(t, err)
			content += strings.Join(all, " ")
		}
		if strings.Contains(content, person.String()) {
			found = append(found, "redis "+key)
		}
	}
	return found
}

// A person is gone wherever an erasure was killed, once it was run to its end; what comes of them later is
// not stored; and the ledgers do not call lost what was erased.
func TestAnErasedPersonIsNowhereAndStaysSo(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, "all")
	cfg.Modules.Suggest.Enabled = true
	p := start(t, cfg)
	world(t, s)
	producer := kafka.NewProducer(s.KafkaConfig)
	defer func() { require.NoError(t, producer.Close()) }()
	life(t, s, producer)
	applied := func(events int) func() bool {
		return func() bool { return s.Count(t, "SELECT count() AS n FROM events") == events }
	}
	p.eventually("the events are applied", applied(30*15))
	p.eventually("the changes are applied", func() bool {
		return s.Count(t, fmt.Sprintf("SELECT count() AS n FROM blocks FINAL WHERE other_id = %d", person)) == 2 &&
			s.Count(t, fmt.Sprintf("SELECT count() AS n FROM likes WHERE position(row_key, '%d') > 0", person)) > 0 &&
			s.Count(t, fmt.Sprintf("SELECT count() AS n FROM comments WHERE author_id = %d", person)) > 0
	})
	status, _ := p.feed(person, "limit=10")
	require.Equal(t, http.StatusOK, status)
	p.act(person, "view", 1, 3) // seen
	status, _ = p.call(http.MethodGet, "/api/v1/discover/suggested-users", person, "")
	require.Equal(t, http.StatusOK, status)
	for _, dismissal := range [][2]core.ID{{person, 11}, {12, person}} {
		status, _ = p.call(http.MethodPost, "/api/v1/discover/suggested-users/"+dismissal[1].String()+"/dismiss",
			dismissal[0], "")
		require.Equal(t, http.StatusNoContent, status)
	}
	p.eventually("what they saw is remembered", func() bool {
		return slices.Contains(keysOf(t, s), "redis seen:v1:{"+person.String()+"}")
	})
	exec(t, s, `INSERT INTO feedrank.audit_runs (report) VALUES (jsonb_build_object('findings', jsonb_build_array(jsonb_build_object('where', 'event x of user ' || $1::text))))`, person.String())
	exec(t, s, `INSERT INTO feedrank.cdc_resync (name, state) VALUES ('x', jsonb_build_object('After', jsonb_build_array($1::bigint)))`, int64(person))
	before := leftovers(t, s)
	require.Greater(t, len(before), 20, "the search finds them: %s", before)

	killed := errors.New("killed")
	for _, last := range erase.Steps() {
		_, err := app.Erase(t.Context(), cfg, []core.Key{{ID: person}}, erase.WithSteps(func(at erase.Step) error {
			if at == last {
				return killed
			}
			return nil
		}), erase.WithoutReplicas())
		require.ErrorIs(t, err, killed, "%s", last)
		require.Empty(t, findings(t, cfg), "an audit calls nothing lost while an erasure is not finished: %s", last)
	}
	report, err := app.Erase(t.Context(), cfg, []core.Key{{ID: person}})
	require.NoError(t, err)
	require.True(t, report.Finished)
	require.NotEmpty(t, report.Topics)
	require.Empty(t, leftovers(t, s))

	status, _ = p.call(http.MethodGet, "/api/v1/feed", person, "")
	require.Equal(t, http.StatusForbidden, status)
	stored := s.Count(t, "SELECT count() AS n FROM events")
	require.Equal(t, 30*5, stored, "the events of others stay")
	for _, action := range []string{"view", "like", "impression"} {
		send(t, s, producer, person, action, 1, 3, time.Now())
		send(t, s, producer, 6, action, 700001, person, time.Now())
		send(t, s, producer, 6, action, 1, 3, time.Now())
	}
	require.NoError(t, producer.Send(t.Context(), &sarama.ProducerMessage{ // a dead letter would keep it
		Topic: s.KafkaConfig.Topic("events"), Key: sarama.StringEncoder(person.String()),
		Value: sarama.StringEncoder("broken"), Timestamp: time.Now(),
	}))
	exec(t, s, `INSERT INTO posts (id, author_id) VALUES (700099, $1)`, int64(person))
	exec(t, s, `UPDATE users SET name = 'again' WHERE id = $1`, int64(person))
	exec(t, s, `DELETE FROM likes WHERE user_id = $1`, int64(person))
	exec(t, s, `DELETE FROM follows WHERE follower_id = $1 AND followee_id = 2`, int64(person))
	exec(t, s, `INSERT INTO mutes (muter_id, muted_id) VALUES (11, $1)`, int64(person))
	// of every table, one of somebody else: once it is there, theirs were read
	for table, row := range map[string]string{
		"users":   "INSERT INTO users (id, name) VALUES (555, 'x')",
		"posts":   "INSERT INTO posts (id, author_id) VALUES (555, 2)",
		"likes":   "INSERT INTO likes (user_id, post_id) VALUES (12, 1)",
		"follows": "INSERT INTO follows (follower_id, followee_id) VALUES (12, 13)",
		"mutes":   "INSERT INTO mutes (muter_id, muted_id) VALUES (12, 13)",
	} {
		before := s.Count(t, "SELECT count() AS n FROM "+strings.Replace(table, "mutes", "blocks", 1)+" FINAL")
		exec(t, s, row)
		p.eventually("later changes of "+table, func() bool {
			return s.Count(t, "SELECT count() AS n FROM "+strings.Replace(table, "mutes", "blocks",
				1)+" FINAL") > before
		})
	}
	p.eventually("later events of others are applied", applied(stored+3))
	require.Empty(t, leftovers(t, s))
	require.Empty(t, findings(t, cfg))
	require.Positive(t, s.Count(t, "SELECT sum(erased) AS n FROM event_ranges"))

	differences, err := app.Resync(t.Context(), cfg, "", false, 2*time.Second, t.Output())
	require.NoError(t, err)
	require.Zero(t, differences, "what is erased is no difference, though the app still has it")
}

// findings are those of an audit of the last two days.
func findings(t *testing.T, cfg config.Config) (found []audit.Finding) {
	t.Helper()
	cfg.Audit.Settle = 0
	require.NoError(t, app.WithAudit(t.Context(), cfg, func(service *audit.Service) error {
		report, err := service.Run(t.Context(), audit.Options{Since: 48 * time.Hour})
		found = report.Findings
		return err
	}))
	return found
}
