package e2e

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/modules/platform/proc"
	guides "github.com/feedrank/feedrank/test/documented"
	"github.com/feedrank/feedrank/test/installed"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// notRun are the commands of the guides that are not typed here, each with its reason.
var notRun = map[string]string{
	"feedrank bench":                           "minutes of load: by hand",
	"feedrank bench memory":                    "minutes of load: by hand",
	"feedrank bench updates":                   "minutes of load: by hand",
	"feedrank bench restore --scale reference": "10M events: by hand",
	"feedrank dev":                             "app/lab runs the demo, which starts the same",
	"make demo":                                "app/lab runs its command",
	"make test":                                "it is this",
	"make build":                               "all tests run what it builds",
	"make help":                                "it prints lines of the Makefile",
	"make figures":                             "writes into the repository",
	"make pin":                                 "needs Docker",
	"make chart":                               "test/chart is it",
	"make real":                                "installs servers: by hand",
	"make upgrade":                             "a drill of minutes: by hand",
	"npm ci --ignore-scripts":                  "typescript_test.go",
	"npm run build":                            "typescript_test.go",
	"npm test":                                 "typescript_test.go",
	"npm run types":                            "typescript_test.go",
}

// line is a command of the guides, and how it is typed where that leaves something open.
type line struct{ documented, typed string }

func (l line) command() string {
	if l.typed == "" {
		return l.documented
	}
	return l.typed
}

// The lines, in the order of an operator's day: before anything runs, beside what serves, and once it has ended.
var (
	beforeServing = []line{
		{"feedrank --help", ""},
		{"bin/feedrank init --connect DSN", `bin/feedrank init --connect "$FEEDRANK_POSTGRES__DSN"`},
		{"feedrank init --connect DSN", `feedrank init --connect "$FEEDRANK_POSTGRES__DSN" --out other.yaml`},
		{"feedrank init", `feedrank init --out -`},
		{"feedrank check-config", ""},
		{"feedrank check-config FILE", `feedrank check-config feedrank.yaml`},
		{"feedrank check-config --connect", ""},
		{"feedrank modules", ""},
		{"feedrank metrics", `feedrank metrics --match cdc`},
		{"feedrank import events clicks.csv.gz likes.parquet --dry-run --refused refused.jsonl", `feedrank import events ` +
			`clicks.csv.gz likes.parquet --dry-run --refused refused.jsonl --columns user=member_id,post=article_id ` +
			`--actions opened=view`},
		{"feedrank token", `feedrank token --user 1`},
		{"feedrank token --admin", ""},
		{"feedrank token --admin --name you", ""},
		{"feedrank migrate --dry-run", ""},
		{"bin/feedrank migrate -c feedrank.yaml", ""},
		{"feedrank migrate", ""},
	}
	besideServing = []line{
		{"feedrank doctor", `until feedrank doctor; do sleep 0.1; done`}, // the hot set may not be loaded yet
		{"GET /admin/v1/breaker", operator + `$URL/admin/v1/breaker`},
		{"GET /admin/v1/jobs", operator + `$URL/admin/v1/jobs`},
		{"POST /admin/v1/jobs/{job}/run", operator + `-X POST $URL/admin/v1/jobs/trending/run`},
		{"PUT /admin/v1/log-level", operator + `-X PUT $URL/admin/v1/log-level -d '{"level": "debug", "for": "15m"}'`},
		{"feedrank explain", `feedrank explain --url $URL --token "$(feedrank token --admin)" --user 1 --post 1`},
		{
			"feedrank import events clicks.csv.gz likes.parquet --columns user=member_id,post=article_id --actions opened=view",
			"",
		},
		{"feedrank import events", `zcat clicks.csv.gz | feedrank import events - --format csv --columns ` +
			`user=member_id,post=article_id --actions opened=view --dry-run`},
		{"feedrank dlq list", `until feedrank dlq list | grep malformed; do sleep 0.1; done`},
		{"feedrank dlq", `id=$(feedrank dlq list --json | grep -om1 '"id":"[^"]*' | cut -c7-); feedrank dlq show "$id"`},
		{"feedrank dlq list --queue events", ""},
		{"feedrank dlq list --queue cdc", ""},
		{"feedrank dlq list --reason key_collision", ""},
		{"feedrank dlq replay", `feedrank dlq replay --all`},
		{"feedrank dlq discard", `feedrank dlq discard --all`},
		// there is no batch that is stuck
		{"feedrank dlq quarantine", `(feedrank dlq quarantine --partition 0 --first 0 2>&1 || true) | grep 'none of these'`},
		{"feedrank audit", ""},
		{"feedrank audit --since 24h", ""},
		{"feedrank audit --repair", ""},
		{"feedrank resync", `feedrank resync --settle 1s`},
		{"feedrank resync --check", `feedrank resync --check --settle 1s`},
		{"feedrank resync --table", `feedrank resync --table public.posts --settle 1s`},
		{"UPDATE mutes SET expires_at = expires_at", ""},
		{"feedrank rebuild-views", `feedrank rebuild-views --help`}, // 17 s: modules/events/consumer tests it
		{"feedrank export", `feedrank export --user 1 --out person.jsonl`},
		{"POST /admin/v1/people/export", operator + `$URL/admin/v1/people/export -d '{"user": "1"}'`},
		{"feedrank backup /backups/monday --to disk:backups", `feedrank backup backups/monday --to disk:backups`},
		{"feedrank backup", `feedrank backup backups/tuesday`},
		{"feedrank erase", `feedrank erase --user 2 --yes`},
		{"POST /admin/v1/people/erase", operator + `$URL/admin/v1/people/erase -d '{"user": "3", "for_ever": true}'`},
	}
	onceEnded = []line{
		{"feedrank migrate && feedrank restore /backups/monday --only clickhouse", `export ` +
			`FEEDRANK_CLICKHOUSE__DATABASE=$ANOTHER; feedrank migrate && feedrank restore backups/monday --only clickhouse`},
		{"feedrank restore", `(FEEDRANK_CLICKHOUSE__DATABASE=$ANOTHER feedrank restore backups/tuesday 2>&1 || true) | ` +
			`grep 'has rows'`},
	}
	// serving goes on until it is told to end: the lines of one item are processes beside each other.
	serving = [][]line{
		{{"bin/feedrank serve -c feedrank.yaml", ""}},
		{
			{"bin/feedrank serve -c feedrank.yaml --roles api,console", ""},
			{"bin/feedrank serve -c feedrank.yaml --roles events-consumer,cdc-consumer,cdc-source,jobs", ""},
		},
	}
)

const operator = `curl -fsS -H "Authorization: Bearer $(feedrank token --admin)" -H 'Content-Type: application/json' `

// TestEveryCommandOfTheGuidesIsRunOrHasAReason compares the lists with the documents.
func TestEveryCommandOfTheGuidesIsRunOrHasAReason(t *testing.T) {
	known := map[string]bool{}
	for name, why := range notRun {
		require.NotEmpty(t, why)
		known[name] = true
	}
	for _, some := range append(serving, beforeServing, besideServing, onceEnded) {
		for _, l := range some {
			require.False(t, known[l.documented], "%s stands twice", l.documented)
			known[l.documented] = true
		}
	}
	for name, guide := range guides.Commands(t, filepath.Join("..", "..")) {
		require.True(t, known[name], "%s: %q is run by no test: add it to this file", guide, name)
		delete(known, name)
	}
	require.Empty(t, known, "no guide has these any more")
}

// TestTheCommandsOfTheGuides types them, on a world with a dead letter.
func TestTheCommandsOfTheGuides(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s)
	cfg.HTTP.Addr = nowhere(t)
	dir := installed.Dir(t)
	env := append(onServers(cfg), "FEEDRANK_CONFIG=feedrank.yaml", "URL=http://"+cfg.HTTP.Addr,
		"ANOTHER="+embeddedtest.NewClickHouseDatabase(t), "FEEDRANK_LOG__LEVEL=warn")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "backups"), 0o700))
	past(t, dir)
	world(t, s)
	exec(t, s, `ALTER TABLE mutes ADD expires_at timestamptz`)
	all := func(lines []line) {
		for _, l := range lines {
			if strings.HasPrefix(l.documented, "UPDATE") {
				exec(t, s, l.documented)
				continue
			}
			began := time.Now()
			said, err := shell(dir, env, "set -euo pipefail\n"+l.command()).CombinedOutput()
			require.NoError(t, err, "%s\n%s", l.command(), said)
			t.Logf("%5d ms  %s", time.Since(began).Milliseconds(), l.command())
		}
	}
	all(beforeServing)
	end := serve(t, dir, env, serving[0]...)
	producer := kafka.NewProducer(s.KafkaConfig)
	require.NoError(t, producer.Send(t.Context(), &sarama.ProducerMessage{
		Topic: s.KafkaConfig.Topic("events"), Key: sarama.StringEncoder("1"), Value: sarama.StringEncoder("{"),
	}))
	require.NoError(t, producer.Close())
	wait.Until(t, func() bool {
		return s.Count(t, "SELECT count() AS n FROM posts FINAL") == 60
	}, "the world arrives")
	all(besideServing)
	end()
	serve(t, dir, env, serving[1]...)()
	all(onceEnded)
}

// past are files with events, as the guide has them.
func past(t *testing.T, dir string) {
	t.Helper()
	yesterday := time.Now().Add(-24 * time.Hour).UTC().Format(time.RFC3339)
	file, err := os.Create(filepath.Join(dir, "clicks.csv.gz"))
	require.NoError(t, err)
	zip := gzip.NewWriter(file)
	_, err = fmt.Fprintf(zip, "member_id,article_id,author,action,occurred_at\n1,1,3,opened,%s\n", yesterday)
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	require.NoError(t, file.Close())
	type row struct {
		User   int64  `parquet:"member_id"`
		Post   int64  `parquet:"article_id"`
		Author int64  `parquet:"author"`
		Action string `parquet:"action"`
		At     string `parquet:"occurred_at"`
	}
	require.NoError(t, parquet.WriteFile(filepath.Join(dir, "likes.parquet"), []row{{1, 1, 3, "like", yesterday}}))
}

// serve starts what serves, each at an address of its own, waits until all are ready, and returns how to end them.
func serve(t *testing.T, dir string, env []string, lines ...line) (end func()) {
	t.Helper()
	var children []*proc.Child
	for i, l := range lines {
		own, address := env, strings.TrimPrefix(value(env, "URL"), "http://")
		if i > 0 {
			address = nowhere(t)
			own = append(own[:len(own):len(own)], "FEEDRANK_HTTP__ADDR="+address)
		}
		cmd := shell(dir, own, "exec "+l.command())
		cmd.Stderr = os.Stderr
		child := begin(t, cmd)
		children = append(children, child)
		wait.Until(t, func() bool {
			require.False(t, child.Ended(), l.command())
			answer, err := http.Get("http://" + address + "/readyz") //nolint:noctx // the test's own process
			if err != nil {
				return false
			}
			require.NoError(t, answer.Body.Close())
			return answer.StatusCode == http.StatusOK
		}, l.command())
	}
	return func() {
		for i, child := range children {
			require.NoError(t, child.Signal(syscall.SIGTERM))
			require.True(t, child.WaitFor(time.Minute), lines[i].command())
			require.NoError(t, child.Err(), lines[i].command())
		}
	}
}

func value(env []string, name string) string {
	for _, one := range env {
		if text, found := strings.CutPrefix(one, name+"="); found {
			return text
		}
	}
	return ""
}
