package e2e

import (
	"context"
	"net/http"
	"net/url"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/audit"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
)

// as is a DSN with another role.
func as(t *testing.T, dsn, role string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	u.User = url.UserPassword(role, "a word")
	return u.String()
}

// grantedKafka is a Kafka that lets in who config/grants/kafka.sh lets in, and nobody else.
func grantedKafka(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../config/grants/kafka.sh")
	require.NoError(t, err)
	resources := map[string]kmsg.ACLResourceType{
		"--topic": kmsg.ACLResourceTypeTopic,
		"--group": kmsg.ACLResourceTypeGroup,
	}
	operations := map[string]kmsg.ACLOperation{
		"Read": kmsg.ACLOperationRead, "Write": kmsg.ACLOperationWrite, "Create": kmsg.ACLOperationCreate,
		"Describe": kmsg.ACLOperationDescribe, "DescribeConfigs": kmsg.ACLOperationDescribeConfigs,
	}
	granted := map[string][]kfake.ACL{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "allow" {
			continue
		}
		user := strings.TrimPrefix(words[1], "User:")
		one := kfake.ACL{Allow: true, Pattern: kmsg.ACLResourcePatternTypeLiteral}
		var allowed []string
		for i := 2; i+1 < len(words); i += 2 {
			switch name, value := words[i], words[i+1]; name {
			case "--operation":
				allowed = append(allowed, value)
			case "--resource-pattern-type":
				if value == "prefixed" {
					one.Pattern = kmsg.ACLResourcePatternTypePrefixed
				}
			default:
				require.Contains(t, resources, name)
				one.Resource, one.Name = resources[name], value
			}
		}
		require.NotEmpty(t, allowed)
		for _, operation := range allowed {
			require.Contains(t, operations, operation)
			one.Operation = operations[operation]
			granted[user] = append(granted[user], one)
		}
	}
	require.Len(t, granted, 2)
	options := []kfake.Opt{
		kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.GroupMinSessionTimeout(time.Second),
	}
	for user, acls := range granted {
		options = append(options, kfake.User("PLAIN", user, "a word", acls...))
	}
	options = append(options, kfake.Superuser("PLAIN", "root", "a word"))
	cluster, err := kfake.NewCluster(options...)
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	return cluster.ListenAddrs()
}

// asClickHouse makes cfg one of the users of config/grants/clickhouse.sql.
func asClickHouse(t *testing.T, s *stack.Stack, cfg *config.Config, name string) {
	t.Helper()
	for _, user := range s.Servers.Addresses().ClickHouse.Users {
		if user.Name == name {
			cfg.ClickHouse.User, cfg.ClickHouse.Password = user.Name, user.Password
			return
		}
	}
	require.Fail(t, "no such user", name)
}

// The documented grants are enough for all that the program does, and not for more.
func TestTheProgramRunsWithTheDocumentedGrantsAlone(t *testing.T) {
	s := stack.Own(t)
	grants, err := os.ReadFile("../../config/grants/postgres.sql")
	require.NoError(t, err)
	exec(t, s, "DROP SCHEMA feedrank CASCADE") // made by the owner
	_, err = s.Postgres.Exec(t.Context(), string(grants))
	require.NoError(t, err)
	exec(t, s, "ALTER ROLE feedrank_app PASSWORD 'a word'")
	exec(t, s, "ALTER ROLE feedrank_migrate PASSWORD 'a word'")

	cfg := settings(t, s, "all")
	cfg.CDC.Source.Publication = "feedrank"
	cfg.Kafka.Brokers, cfg.Kafka.TopicPrefix = grantedKafka(t), ""
	login := func(user string) kafka.SASL { return kafka.SASL{Mechanism: "PLAIN", User: user, Password: "a word"} }
	cfg.Postgres.DSN, cfg.Kafka.SASL = as(t, s.PostgresConfig.DSN, "feedrank_migrate"), login("feedrank-migrate")
	require.NoError(t, s.ClickHouse.Write(t.Context(),
		clickhouse.Query{Name: "drop", Query: ch.Query{Body: "DROP DATABASE feedrank SYNC"}}))
	asClickHouse(t, s, &cfg, "feedrank_migrate")
	_, err = app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)

	asClickHouse(t, s, &cfg, "feedrank")
	cfg.Postgres.DSN, cfg.Kafka.SASL = as(t, s.PostgresConfig.DSN, "feedrank_app"), login("feedrank")
	nothing := t.TempDir()
	t.Chdir(nothing)
	t.Setenv("TMPDIR", nothing)
	t.Setenv("HOME", nothing)
	p := running(t, cfg)
	world(t, s)
	p.eventually("posts come by the built-in source", func() bool {
		_, now := p.feed(viewer, "limit=50")
		return len(now.Items) >= 30
	})
	_, now := p.feed(viewer, "limit=1")
	liked := now.Items[0]
	p.likeSeen(liked.Post, liked.Author)
	p.eventually("an event counts", func() bool {
		_, now := p.feed(viewer, "limit=50&explain=true")
		return now.likes(liked.Post) == 1
	})
	p.eventually("the jobs have a leader and run", func() bool {
		var runs int
		require.NoError(t, s.Postgres.QueryRow(t.Context(),
			"SELECT count(*) FROM feedrank.job_runs WHERE outcome = 'ok'").Scan(&runs))
		return runs >= 3
	})
	var failed []string
	rows, err := s.Postgres.Query(t.Context(),
		"SELECT job || ': ' || detail FROM feedrank.job_runs WHERE outcome NOT IN ('ok', 'running')")
	require.NoError(t, err)
	failed, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Empty(t, failed)
	differences, err := app.Resync(t.Context(), cfg, "", false, 2*time.Second, t.Output())
	require.NoError(t, err)
	require.Zero(t, differences)

	require.NoError(t, app.WithAudit(t.Context(), cfg, func(service *audit.Service) error {
		report, err := service.Run(t.Context(), audit.Options{Since: time.Hour})
		require.True(t, report.OK(), "%+v", report)
		return err
	}))
	warnings, err := app.CheckConnected(t.Context(), cfg)
	require.NoError(t, err)
	require.Empty(t, warnings)
	warnings, err = app.CheckClickHouse(t.Context(), cfg.ClickHouse)
	require.NoError(t, err, "who has what the file grants is not complained of")
	for _, warning := range warnings {
		require.Contains(t, warning, "ClickHouse/ClickHouse#112149", "of the version alone")
	}
	reader := cfg
	asClickHouse(t, s, &reader, "feedrank_read")
	_, err = app.CheckClickHouse(t.Context(), reader.ClickHouse)
	require.EqualError(t, err,
		"clickhouse: user feedrank_read is not granted INSERT ON `feedrank`.*, SELECT ON system.processes, KILL QUERY ON *.*: "+
			"grant it, as config/grants/clickhouse.sql grants it to feedrank")
	eraser := cfg
	asClickHouse(t, s, &eraser, "feedrank_erase")
	_, err = app.Erase(t.Context(), eraser, []core.Key{{ID: 24}}) // the last of the world
	require.NoError(t, err)
	keeper := cfg
	asClickHouse(t, s, &keeper, "feedrank_backup")
	folder := filepath.Join(t.TempDir(), "backup")
	_, err = app.Backup(t.Context(), keeper, folder, "file", func(string, int64, int64) {})
	require.NoError(t, err)
	clickHouseGrantsNoMore(t, s, cfg)

	p.eventually("the follows are copied", func() bool {
		_, timeline := p.feed(viewer, "algo=timeline")
		return len(timeline.Items) > 0
	})
	require.NoError(t, s.Servers.ClickHouse.Kill())
	const cold = core.ID(11)
	status, fallback := p.feed(cold, "limit=20")
	require.Equal(t, http.StatusOK, status)
	require.NotEmpty(t, fallback.Items, "the fallback reads the app's tables")
	status, timeline := p.feed(viewer, "limit=20&algo=timeline")
	require.Equal(t, http.StatusOK, status)
	require.NotEmpty(t, timeline.Items, "%+v", timeline)

	written, err := os.ReadDir(nothing)
	require.NoError(t, err)
	require.Empty(t, written, "the program writes no file")

	// More than that they may not.
	for role, statements := range map[string][]string{
		"feedrank_app": {
			"INSERT INTO public.posts (author_id) VALUES (1)", "DELETE FROM public.users",
			"UPDATE public.users SET name = ''", "TRUNCATE public.likes",
			"CREATE TABLE public.mine (id int)", "CREATE TABLE feedrank.mine (id int)", "CREATE SCHEMA mine",
			"ALTER PUBLICATION feedrank DROP TABLE public.users",
		},
		"feedrank_migrate": {"SELECT * FROM public.users", "INSERT INTO public.posts (author_id) VALUES (1)"},
	} {
		conn, err := pgx.Connect(t.Context(), as(t, s.PostgresConfig.DSN, role))
		require.NoError(t, err)
		for _, statement := range statements {
			_, err := conn.Exec(t.Context(), statement)
			require.Error(t, err, "%s: %s", role, statement)
			require.True(t, slices.ContainsFunc([]string{"42501"},
				func(code string) bool { return strings.Contains(err.Error(), code) }), "%s: %s: %v", role, statement,
				err)
		}
		require.NoError(t, conn.Close(t.Context()))
	}
	other := cfg.Kafka
	other.TopicPrefix = "somebodyelses-"
	_, err = kafka.EnsureTopics(other, []kafka.TopicSpec{{Name: "somebodyelses-topic", Partitions: 1}}, false)
	require.Error(t, err, "the program makes no topics")
}

// What is granted in ClickHouse is not more than was tried above, and curl reads as feedrank_read.
func clickHouseGrantsNoMore(t *testing.T, s *stack.Stack, cfg config.Config) {
	t.Helper()
	const accessDenied = proto.Error(497)
	for user, statements := range map[string][]string{
		"feedrank": {
			"ALTER TABLE posts DELETE WHERE 1", "TRUNCATE TABLE posts", "DROP TABLE posts",
			"CREATE TABLE mine (a UInt8) ENGINE = MergeTree ORDER BY a",
			"SELECT count() FROM system.mutations", "CREATE USER mine",
			"SELECT * FROM file('/etc/passwd', LineAsString)",
		},
		"feedrank_migrate": {
			"DROP DATABASE feedrank", "TRUNCATE TABLE posts", "KILL QUERY WHERE 0",
			"CREATE TABLE mine (a UInt8) ENGINE = Memory",
		},
		"feedrank_erase": {
			"DROP TABLE posts", "CREATE VIEW mine AS SELECT 1",
			"ALTER TABLE posts ADD COLUMN mine UInt8",
		},
		"feedrank_backup": {
			"DROP DATABASE feedrank", "CREATE USER mine", "KILL QUERY WHERE 0",
			"SELECT * FROM file('/etc/passwd', LineAsString)",
		},
		"feedrank_read": {
			"INSERT INTO posts (id) VALUES (1)", "ALTER TABLE posts DELETE WHERE 1",
			"SELECT count() FROM system.processes",
		},
	} {
		asClickHouse(t, s, &cfg, user)
		client := clickhouse.New(cfg.ClickHouse, prometheus.NewRegistry())
		for _, statement := range statements {
			err := client.Write(t.Context(), clickhouse.Query{Name: "more", Query: ch.Query{
				Body: statement, Result: new(proto.Results).Auto(),
				OnResult: func(context.Context, proto.Block) error { return nil },
			}})
			exception, ok := clickhouse.AsException(err)
			require.True(t, ok, "%s: %s: %v", user, statement, err)
			require.Equal(t, accessDenied, exception.Code, "%s: %s: %v", user, statement, err)
		}
		client.Close()
	}
	at := s.Servers.Addresses().ClickHouse
	asClickHouse(t, s, &cfg, "feedrank_read")
	out, err := osexec.Command("curl", "-sSfu", cfg.ClickHouse.User+":"+cfg.ClickHouse.Password, "http://"+at.HTTP+"/",
		"--data-binary", "SELECT count() > 0 FROM feedrank.events").CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "1\n", string(out))
}
