package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/app/lab"
	"github.com/feedrank/feedrank/config"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// scene is what the pictures show.
type scene struct {
	dev     *lab.Dev
	viewer  string
	blocked string // a post of somebody whom the viewer blocks
	shown   string // a post that the viewer sees
	order   string // a replay of all letters that match
	other   *app.Program
}

// screen is one page, after what is done before it and on it.
type screen struct {
	name, path string
	before     func(context.Context) error
	act        chromedp.Action[chromedp.Void]
	stranger   bool // nobody is logged in, from here on
}

func (s *scene) screens() []screen {
	confirmLetters := chromedp.Steps(
		chromedp.Click(`input[name="id"]`), chromedp.Click(`button[value="replay"]`), chromedp.WaitVisible(`.verdict`),
	)
	tryRanking := chromedp.Steps(
		chromedp.SetValue(`input[name="weights.freshness"]`, "0.9"),
		chromedp.SetValue(`input[name="users"]`, s.viewer), chromedp.Click(`button[value="try"]`),
		chromedp.WaitVisible(`#tried`),
	)
	saveRanking := chromedp.Steps(
		chromedp.SetValue(`input[name="weights.freshness"]`, "0.9"),
		chromedp.SetValue(`input[name="note"]`, "people ask for newer posts"), chromedp.Click(`button[value="save"]`),
		chromedp.WaitVisible(`.verdict`),
	)
	return []screen{
		{name: "feed", path: "/console/feed?user=" + s.viewer},
		{name: "feed-left-out", path: "/console/feed?user=" + s.viewer, act: chromedp.Click(`main details summary`)},
		{name: "feed-later", path: "/console/feed?user=" + s.viewer, act: chromedp.Steps(
			chromedp.Click(`//a[. = "Next page"]`), chromedp.WaitVisible(`//a[. = "First page, made anew"]`),
		)},
		{name: "feed-timeline", path: "/console/feed?limit=10&algo=timeline&user=" + s.viewer},
		{name: "feed-empty", path: "/console/feed"},
		{name: "feed-by-name", path: "/console/feed?user=a&by=name"},
		{name: "compare", path: "/console/feed/compare?freshness=0.9&affinity=0&user=" + s.viewer},
		{name: "compare-empty", path: "/console/feed/compare?user=" + s.viewer},
		{name: "suggestions", path: "/console/suggestions?user=" + s.viewer},
		{name: "suggestions-empty", path: "/console/suggestions"},
		{name: "whynot-blocked", path: "/console/why-not?user=" + s.viewer + "&post=" + s.blocked},
		{name: "whynot-shown", path: "/console/why-not?user=" + s.viewer + "&post=" + s.shown},
		{name: "whynot-wrong", path: "/console/why-not?user=me&post=" + s.shown},
		{name: "trending", path: "/console/trending"},
		{name: "quality", path: "/console/quality"},
		{name: "quality-by-source", path: "/console/quality?by=source"},
		{name: "ranking", path: "/console/ranking"},
		{name: "ranking-tried", path: "/console/ranking", act: tryRanking},
		{name: "ranking-confirm", path: "/console/ranking", act: saveRanking},
		{name: "letters", path: "/console/dead-letters"},
		{name: "letters-confirm", path: "/console/dead-letters?queue=events", act: confirmLetters},
		{name: "letter", path: "/console/dead-letters?queue=events", act: chromedp.Steps(
			chromedp.Click(`a.mono`), chromedp.WaitVisible(`dl`),
		)},
		{name: "letter-record", path: "/console/dead-letters?queue=events", act: chromedp.Steps(
			chromedp.Click(`a.mono`), chromedp.Click(`//button[. = "Show it"]`), chromedp.WaitVisible(`pre`),
		)},
		{name: "order", path: "/console/dead-letters/order?id=" + s.order},
		{name: "operations", path: "/console/operations"},
		{name: "operations-confirm", path: "/console/operations", act: chromedp.Steps(
			chromedp.Click(`button[value="open"]`), chromedp.WaitVisible(`.verdict`),
		)},
		{name: "actions", path: "/console/actions"},
		{name: "actions-change", path: "/console/actions", act: chromedp.Click(`main details summary`)},
		{name: "runbook", path: "/console/runbook?entry=EventsLate"},
		{name: "pipeline", path: "/console/pipeline", act: chromedp.WaitVisible(`//span[contains(., "rates of the last")]`)},
		{name: "provider-away", path: "/console/login/oidc/begin"},
		{name: "refused", path: "/console/login?once=none"},
		{
			name: "pipeline-down", path: "/console/pipeline", before: s.killClickHouse,
			act: chromedp.WaitVisible(`.badge.failed`),
		},
		{name: "operations-down", path: "/console/operations"},
		{name: "feed-down", path: "/console/feed?user=" + s.viewer},
		{name: "whynot-down", path: "/console/why-not?user=" + s.viewer + "&post=" + s.shown},
		{name: "quality-down", path: "/console/quality"},
		{name: "login", path: "/console/login", stranger: true},
	}
}

// prepare does what the pictures show.
func prepare(ctx context.Context, d *lab.Dev) (_ *scene, err error) {
	s := &scene{dev: d}
	conn, err := pgx.Connect(ctx, d.Config.Postgres.DSN)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	var viewer, blocked, post int64
	if err := conn.QueryRow(ctx, `SELECT follower_id FROM follows GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`).
		Scan(&viewer); err != nil {
		return nil, err
	}
	if err := conn.QueryRow(ctx, `SELECT p.author_id, p.id FROM follows f JOIN posts p ON p.author_id = f.followee_id
		WHERE f.follower_id = $1 ORDER BY p.created_at DESC LIMIT 1`, viewer).Scan(&blocked, &post); err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, `INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)`, viewer, blocked); err != nil {
		return nil, err
	}
	s.viewer, s.blocked = core.ID(viewer).String(), core.ID(post).String()
	if err := s.spoil(ctx); err != nil {
		return nil, err
	}
	if err := s.replay(ctx); err != nil {
		return nil, err
	}
	if s.other, err = startAnother(ctx, d.Config); err != nil {
		return nil, err
	}
	if err := s.call(ctx, http.MethodPut, "/admin/v1/ranking",
		`{"version":0,"note":"people ask for newer posts","ranking":{"weights":{"freshness":0.4}}}`); err != nil {
		return nil, err
	}
	if err := s.call(ctx, http.MethodPost, "/admin/v1/jobs/trending/run", ""); err != nil {
		return nil, err
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	return s, s.watch(ctx)
}

// spoil writes what is no event.
func (s *scene) spoil(ctx context.Context) (err error) {
	producer := kafka.NewProducer(s.dev.Config.Kafka)
	defer func() { err = errors.Join(err, producer.Close()) }()
	for _, value := range []string{
		`{"event_id": "not a uuid"}`, "\x00\x01\x02", `<script>alert("a post id")</script>`, `{"action": "poke"}`,
	} {
		if err := producer.Send(ctx, &sarama.ProducerMessage{
			Topic: s.dev.Config.Kafka.Topic(s.dev.Config.Events.Topic), Key: sarama.StringEncoder(s.viewer),
			Value: sarama.StringEncoder(value), Timestamp: time.Now(),
		}); err != nil {
			return err
		}
	}
	return nil
}

// replay has what was spoilt replayed, all of it. It is no event still, and comes back.
func (s *scene) replay(ctx context.Context) error {
	for ctx.Err() == nil {
		body, err := s.ask(ctx, http.MethodGet, "/admin/v1/dead-letters?queue=events", "")
		if err == nil && strings.Contains(body, `"id"`) {
			break
		}
		pause(ctx, time.Second)
	}
	body, err := s.ask(ctx, http.MethodPost, "/admin/v1/dead-letters/replay",
		fmt.Sprintf(`{"queue":"events","background":true,"topic":%q}`, s.dev.Config.Kafka.Topic(s.dev.Config.Events.Topic)))
	if err != nil {
		return err
	}
	var begun struct {
		ID string `json:"id"`
	}
	err = json.Unmarshal([]byte(body), &begun)
	s.order = begun.ID
	return err
}

// startAnother starts one more replica, which only answers.
func startAnother(ctx context.Context, cfg config.Config) (*app.Program, error) {
	cfg.Roles = []string{string(app.API)}
	cfg.HTTP.Addr, cfg.HTTP.AdminAddr = "127.0.0.1:0", "127.0.0.1:0"
	return app.Start(ctx, cfg, zap.NewNop())
}

// settle waits until the block has arrived, and finds a post that is shown.
func (s *scene) settle(ctx context.Context) error {
	for ctx.Err() == nil {
		body, err := s.ask(ctx, http.MethodGet, "/admin/v1/why-not?user="+s.viewer+"&post="+s.blocked, "")
		if err == nil && strings.Contains(body, `"rule":"blocked"`) {
			break
		}
		pause(ctx, time.Second)
	}
	body, err := s.ask(ctx, http.MethodGet, "/admin/v1/feed?limit=5&user="+s.viewer, "")
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(body, `{"post":"`)
	s.shown, _, _ = strings.Cut(rest, `"`)
	return ctx.Err()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (s *scene) call(ctx context.Context, method, path, body string) error {
	_, err := s.ask(ctx, method, path, body)
	return err
}

func send(ctx context.Context, method, address, token, body string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return "", err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return "", fmt.Errorf("%s %s: %d %s", method, address, response.StatusCode, text)
	}
	return string(text), nil
}

func (s *scene) ask(ctx context.Context, method, path, body string) (string, error) {
	token, err := auth.SignOperator(s.dev.Config.Auth, "ben", false, time.Hour, time.Now())
	if err != nil {
		return "", err
	}
	return send(ctx, method, "http://"+s.dev.Program.AdminAddr()+path, token, body)
}

// killClickHouse shows what a console says then.
func (s *scene) killClickHouse(ctx context.Context) error {
	for _, server := range s.dev.Servers.Servers() {
		if server.Name() == embedded.ClickHouse {
			if err := server.Kill(); err != nil {
				return err
			}
		}
	}
	pause(ctx, 12*time.Second)
	return nil
}
