//go:build real

package watch_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app/lab"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/seed"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

func TestMain(m *testing.M) {
	lab.RunChildIfAsked()
	os.Exit(m.Run())
}

// world is a feedrank with every role, on embedded servers, and its seeded people.
type world struct {
	t   *testing.T
	dev *lab.Dev
	app *pgx.Conn // the app's database
}

// busy starts a world in which something has happened of everything that a panel shows.
func busy(t *testing.T) *world {
	cfg, err := config.Load(config.Sources{Set: append(config.DevDefaults(),
		"http.addr=127.0.0.1:0", "http.admin_addr=127.0.0.1:0", "log.level=error")})
	require.NoError(t, err)
	d, err := lab.StartDev(t.Context(), cfg, "", zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Stop()) })
	options := seed.DefaultOptions()
	options.World.Users, options.World.Posts, options.World.Events, options.World.Blocks = 200, 400, 2000, 10
	_, err = lab.Seed(t.Context(), d.Config, options, d.URL(), io.Discard)
	require.NoError(t, err)
	app, err := pgx.Connect(t.Context(), d.Config.Postgres.DSN)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, app.Close(context.WithoutCancel(t.Context()))) })
	w := &world{t: t, dev: d, app: app}

	producer := kafka.NewProducer(d.Config.Kafka)
	require.NoError(t, producer.Send(t.Context(), &sarama.ProducerMessage{
		Topic: d.Config.Kafka.Topic(d.Config.Events.Topic), Key: sarama.StringEncoder("1"),
		Value: sarama.StringEncoder("no event"), Timestamp: time.Now(),
	}))
	require.NoError(t, producer.Close())
	w.run("trending")
	w.run("suggest")
	return w
}

// run asks for a run of a job now.
func (w *world) run(job string) {
	operator, err := auth.SignOperator(w.dev.Config.Auth, "ben", false, time.Hour, time.Now())
	require.NoError(w.t, err)
	w.call(http.MethodPost, "http://"+w.dev.Program.AdminAddr()+"/admin/v1/jobs/"+job+"/run", operator, "")
}

// stir lets somebody post, and some people look at their feeds and like what they see.
func (w *world) stir() {
	_, err := w.app.Exec(w.t.Context(), "INSERT INTO posts (author_id) SELECT min(id) FROM users")
	require.NoError(w.t, err)
	for user := core.ID(1); user <= 8; user++ {
		token, err := auth.Sign(w.dev.Config.Auth, user, false, time.Hour, time.Now())
		require.NoError(w.t, err)
		for _, path := range []string{"/api/v1/feed", "/api/v1/feed/trending", "/api/v1/discover/suggested-users"} {
			w.call(http.MethodGet, w.dev.URL()+path, token, "")
		}
		one := fmt.Sprintf(`{"event_id":%q,"action":"like","post_id":"1","author_id":"1","occurred_at":%q}`,
			uuid.NewString(), time.Now().UTC().Format(time.RFC3339))
		w.call(http.MethodPost, w.dev.URL()+"/api/v1/events", token, `{"events":[`+one+`]}`)
		w.call(http.MethodPost, w.dev.URL()+"/api/v1/events", token, `{"events":[`+one+`,{"action":"poke"}]}`)
	}
	w.call(http.MethodGet, w.dev.URL()+"/api/v1/feed", "no token", "")
	w.run("warm") // those who came are likely to come again
}

// call asks the API; what it answers is in the metrics.
func (w *world) call(method, address, token, body string) {
	request, err := http.NewRequestWithContext(w.t.Context(), method, address, strings.NewReader(body))
	require.NoError(w.t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(w.t, err)
	require.NoError(w.t, response.Body.Close())
}
