// Package console looks at the console as a browser does, on the embedded servers.
package console

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

func TestMain(m *testing.M) { stack.Main(m) }

// world is a running program with every role, with people and posts.
type world struct {
	t       *testing.T
	cfg     config.Config
	program *app.Program
	stack   *stack.Stack
	base    string // of operators
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, stack.New(t))
}

// newWorldWithClickHouse has a ClickHouse of its own, which the test may kill.
func newWorldWithClickHouse(t *testing.T) (w *world, clickhouse *embedded.Server) {
	t.Helper()
	own, s := stack.OwnClickHouse(t), stack.New(t)
	s.ClickHouseConfig, s.ClickHouse = own.ClickHouseConfig, own.ClickHouse
	return newWorldOn(t, s), own.Servers.ClickHouse
}

func newWorldOn(t *testing.T, s *stack.Stack, change ...func(*config.Config)) *world {
	t.Helper()
	cfg := config.Default()
	cfg.HTTP.Addr, cfg.HTTP.AdminAddr = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Auth.HS256Secret = strings.Repeat("s", 32)
	cfg.ClickHouse, cfg.Postgres, cfg.Kafka, cfg.Redis = s.ClickHouseConfig, s.PostgresConfig, s.KafkaConfig,
		s.RedisConfig
	cfg.Kafka.SessionTimeout = 6 * time.Second
	cfg.Console.NameColumn = "name"
	slot := "s" + strings.NewReplacer(".", "", "-", "").Replace(s.KafkaConfig.TopicPrefix)
	cfg.CDC.Source.Slot, cfg.CDC.Source.Publication = slot, slot
	for _, c := range change {
		c(&cfg)
	}
	_, err := app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	program, err := app.Start(t.Context(), cfg, zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, program.Stop()) })
	w := &world{t: t, cfg: cfg, program: program, stack: s, base: "http://" + program.AdminAddr()}
	for _, statement := range []string{
		`INSERT INTO users (name) SELECT 'user-' || n FROM generate_series(1, 20) n`,
		`INSERT INTO follows (follower_id, followee_id) SELECT 1, n FROM generate_series(2, 10) n`,
		`INSERT INTO posts (author_id, created_at) SELECT 2 + n % 18, now() - n * interval '1 minute' FROM generate_series(1, 60) n`,
	} {
		w.exec(statement)
	}
	return w
}

func (w *world) exec(statement string) {
	w.t.Helper()
	_, err := w.stack.Postgres.Exec(w.t.Context(), statement)
	require.NoError(w.t, err)
}

// postOf is the latest post of an author.
func (w *world) postOf(author int) string {
	w.t.Helper()
	var id int64
	require.NoError(w.t, w.stack.Postgres.QueryRow(w.t.Context(),
		`SELECT id FROM posts WHERE author_id = $1 ORDER BY created_at DESC LIMIT 1`, author).Scan(&id))
	return core.ID(id).String()
}

// spoil puts records that are no events into their topic.
func (w *world) spoil(values ...string) {
	w.t.Helper()
	producer := kafka.NewProducer(w.cfg.Kafka)
	defer func() { require.NoError(w.t, producer.Close()) }()
	for _, value := range values {
		require.NoError(w.t, producer.Send(w.t.Context(), &sarama.ProducerMessage{
			Topic: w.cfg.Kafka.Topic(w.cfg.Events.Topic), Key: sarama.StringEncoder("1"),
			Value: sarama.StringEncoder(value), Timestamp: time.Now(),
		}))
	}
}

// browser keeps cookies and follows no redirect by itself.
type browser struct {
	w      *world
	client *http.Client
	url    string // of what is shown
	page   string
	status int
	header http.Header
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(w.t, err)
	b := &browser{w: w, client: &http.Client{
		Jar: jar, Transport: &http.Transport{}, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	w.t.Cleanup(b.client.CloseIdleConnections)
	return b
}

// operator is logged in: by a token with the admin scope, or with the one that only reads.
func (w *world) operator(name string, reads bool) *browser {
	w.t.Helper()
	token, err := auth.SignOperator(w.cfg.Auth, name, reads, time.Hour, time.Now())
	require.NoError(w.t, err)
	b := w.browser()
	b.send("/console/login", url.Values{"token": {token}})
	require.Equal(w.t, http.StatusSeeOther, b.status, b.page)
	return b
}

func (b *browser) do(request *http.Request) {
	b.w.t.Helper()
	response, err := b.client.Do(request)
	require.NoError(b.w.t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(b.w.t, err)
	require.NoError(b.w.t, response.Body.Close())
	b.url, b.page, b.status, b.header = request.URL.String(), string(body), response.StatusCode, response.Header
}

func (b *browser) open(path string) string {
	b.w.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, b.w.base+path, nil)
	require.NoError(b.w.t, err)
	b.do(request)
	return b.page
}

// send sends a form as it is.
func (b *browser) send(path string, form url.Values, headers ...string) {
	b.w.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.w.base+path,
		strings.NewReader(form.Encode()))
	require.NoError(b.w.t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	b.do(request)
}

var mark = regexp.MustCompile(`name="mark" value="([^"]+)"`)

// submit sends a form of the page that is shown.
func (b *browser) submit(path string, form url.Values) {
	b.w.t.Helper()
	found := mark.FindStringSubmatch(b.page)
	require.NotNil(b.w.t, found, b.page)
	form.Set("mark", found[1])
	b.send(path, form)
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// confirm presses the button of the confirmation that is shown, and follows to where that leads.
func (b *browser) confirm(path string) {
	b.w.t.Helper()
	require.Equal(b.w.t, http.StatusOK, b.status, b.page)
	require.Contains(b.w.t, b.page, `name="confirmed" value="yes"`)
	_, asked, _ := strings.Cut(b.page, "<main")
	form := url.Values{}
	for _, field := range hidden.FindAllStringSubmatch(asked, -1) {
		form.Add(field[1], html.UnescapeString(field[2]))
	}
	b.send(path, form)
	b.follow()
}

func (b *browser) follow() {
	b.w.t.Helper()
	require.Equal(b.w.t, http.StatusSeeOther, b.status, b.page)
	b.open(b.header.Get("Location"))
}

// until opens a page again until it says something.
func (b *browser) until(path, says string) {
	b.w.t.Helper()
	wait.Until(b.w.t, func() bool { return strings.Contains(b.open(path), says) }, path+" says "+says)
}

// metrics are the names of all that a program of every role measures.
func metrics(t *testing.T) (names []string) {
	t.Helper()
	cfg := config.Default()
	cfg.Auth.HS256Secret = strings.Repeat("s", 32)
	all, err := app.Metrics(cfg)
	require.NoError(t, err)
	for _, m := range all {
		names = append(names, m.Name)
	}
	return names
}
