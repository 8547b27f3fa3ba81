package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"

	"github.com/feedrank/feedrank/app/lab"
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
}

// screen is one page, after what is done before it and on it.
type screen struct {
	name, path string
	before     func(context.Context) error
	act        chromedp.Action[chromedp.Void]
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
	return []screen{
		{name: "feed", path: "/console/feed?user=" + s.viewer},
		{name: "feed-timeline", path: "/console/feed?limit=10&algo=timeline&user=" + s.viewer},
		{name: "feed-empty", path: "/console/feed"},
		{name: "whynot-blocked", path: "/console/why-not?user=" + s.viewer + "&post=" + s.blocked},
		{name: "whynot-shown", path: "/console/why-not?user=" + s.viewer + "&post=" + s.shown},
		{name: "whynot-wrong", path: "/console/why-not?user=me&post=" + s.shown},
		{name: "trending", path: "/console/trending"},
		{name: "ranking", path: "/console/ranking"},
		{name: "ranking-tried", path: "/console/ranking", act: tryRanking},
		{name: "letters", path: "/console/dead-letters"},
		{name: "letters-confirm", path: "/console/dead-letters?queue=events", act: confirmLetters},
		{name: "letter", path: "/console/dead-letters?queue=events", act: chromedp.Steps(
			chromedp.Click(`a.mono`), chromedp.WaitVisible(`dl`),
		)},
		{name: "operations", path: "/console/operations"},
		{name: "actions", path: "/console/actions"},
		{name: "runbook", path: "/console/runbook?entry=EventsLate"},
		{name: "pipeline", path: "/console/pipeline", act: chromedp.WaitVisible(`//span[contains(., "rates of the last")]`)},
		{name: "refused", path: "/console/login?once=none"},
		{
			name: "pipeline-down", path: "/console/pipeline", before: s.killClickHouse,
			act: chromedp.WaitVisible(`.badge.failed`),
		},
		{name: "operations-down", path: "/console/operations"},
		{name: "whynot-down", path: "/console/why-not?user=" + s.viewer + "&post=" + s.shown},
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
	if err := s.call(ctx, http.MethodPut, "/admin/v1/ranking",
		`{"version":0,"note":"people ask for newer posts","ranking":{"weights":{"freshness":0.4}}}`); err != nil {
		return nil, err
	}
	if err := s.call(ctx, http.MethodPost, "/admin/v1/jobs/trending/run", ""); err != nil {
		return nil, err
	}
	return s, s.settle(ctx)
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

func (s *scene) ask(ctx context.Context, method, path, body string) (string, error) {
	token, err := auth.SignOperator(s.dev.Config.Auth, "ben", false, time.Hour, time.Now())
	if err != nil {
		return "", err
	}
	address := url.URL{Scheme: "http", Host: s.dev.Program.AdminAddr()}
	request, err := http.NewRequestWithContext(ctx, method, address.String()+path, strings.NewReader(body))
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
		return "", fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, text)
	}
	return string(text), nil
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
