package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/deadletter"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/wait"
)

// What the console is for, as people do it: in Chromium, one after the other, on one stack.
func TestTasksInABrowser(t *testing.T) {
	w, clickhouse := newWorldWithClickHouse(t)
	p := newPerson(t, w)
	for _, task := range []struct {
		name string
		do   func(*person)
	}{
		{"log in without the scope and be refused", (*person).isRefused},
		{"find why a blocked author's post is missing", (*person).findsTheBlock},
		{"find why a liked post is missing", (*person).findsTheLikedPost},
		{"change a weight after a dry run and roll it back", (*person).changesAWeight},
		{"compare a page under other weights", (*person).comparesWeights},
		{"replay dead letters and see the count fall", (*person).replaysDeadLetters},
		{"read what people wrote as text", (*person).readsScriptsAsText},
		{"look at every screen", (*person).looksAtEveryScreen},
		{"see ClickHouse go down and come back", func(p *person) { p.seesClickHouseGoAndCome(clickhouse) }},
	} {
		if !t.Run(task.name, func(t *testing.T) { task.do(p.in(t)) }) {
			break // the next goes on from here
		}
	}
	require.NoError(t, p.browser.Complaints())
}

func (p *person) isRefused() {
	p.open("/console/feed?user=1")
	token, err := auth.Sign(p.w.cfg.Auth, 1, false, time.Hour, time.Now())
	require.NoError(p.t, err)
	p.logIn(token)
	p.sees("This token does not open the console", "has neither the scope admin nor admin-read")
	p.press("To the login")
	p.logIn(p.w.operatorToken(p.t, "ana"))
	p.sees("Pipeline", "ana")
}

func (p *person) findsTheBlock() {
	post := p.w.postOf(5)
	b := p.w.operator("ben", false)
	b.until("/console/why-not?user=1&post="+post, "sees post "+post+" at place")
	p.w.exec(`INSERT INTO blocks (blocker_id, blocked_id) VALUES (1, 5)`)
	b.until("/console/why-not?user=1&post="+post, "because they block its author")

	p.open("/console/feed")
	p.sees("Enter the id of a user")
	p.fill("user", "1")
	p.press("Show")
	p.sees("Feed of user 1", "Left out", "blocked")
	p.press("blocked")
	p.sees("Posts of people whom the user blocks.")
	p.follow("details[@open]", post)
	p.sees("User 1 does not see post "+post+" because they block its author.", "Since")
}

// findsTheLikedPost: who likes a post has seen it, and is not shown it again for a day.
func (p *person) findsTheLikedPost() {
	post := p.w.postOf(6)
	p.w.acts(p.t, 1, "view", post)
	p.w.acts(p.t, 1, "like", post)
	p.w.operator("ben", false).until("/console/why-not?user=1&post="+post, "they saw it")

	p.open("/console/feed?user=1")
	p.fill("post", post)
	p.press("Why?")
	p.sees("User 1 does not see post "+post+" because they saw it in the last day.", "Since")
}

func (p *person) changesAWeight() {
	p.open("/console/ranking")
	p.sees("Ranking", "nobody has changed it")
	p.fill("weights.freshness", "0.9")
	p.fill("users", "1")
	p.press("Dry run")
	p.sees("of a page stays", "nothing was changed")
	require.Equal(p.t, "0.9", p.holds("weights.freshness"))
	p.fill("note", "fresher")
	p.press("Save as version 1")
	p.sees("Save as version 1?", "weights.freshness: 0.3 → 0.9")
	p.press("Save")
	p.sees("Version 1 is in force.", "fresher")
	p.press("Back to the configuration file's")
	p.sees("Go back to the configuration file's ranking?")
	p.press("Roll back")
	p.sees("Version 2 is in force")
	require.Equal(p.t, "0.3", p.holds("weights.freshness"))
}

// comparesWeights looks at one page under two rankings, and at whom the user is suggested.
func (p *person) comparesWeights() {
	p.open("/console/feed?user=1")
	p.press("Other weights")
	p.sees("These are the weights in force")
	p.fill("freshness", "0")
	p.fill("affinity", "1")
	p.press("Compare")
	p.sees("The first page, side by side", "of it stays")
	p.open("/console/suggestions?user=1")
	p.sees("Suggestions to user 1")
}

func (p *person) replaysDeadLetters() {
	const letters = 10_000
	before := p.w.stack.Count(p.t, "SELECT count() AS n FROM events")
	p.w.publishDeadLetters(p.t, letters)
	p.open("/console/dead-letters?queue=events")
	p.sees(fmt.Sprint(letters, " letters"))
	p.press("Replay all")
	p.sees(fmt.Sprintf("Replay %d letters?", letters))
	p.press(fmt.Sprintf("Replay %d letters", letters))
	began := time.Now()
	p.sees(fmt.Sprintf("%d of %d letters replayed", letters, letters), "done")
	p.t.Logf("%d dead letters were replayed in %s", letters, time.Since(began).Round(10*time.Millisecond))
	p.press("The letters of this queue")
	p.sees("Nothing waits here", "0 letters")
	wait.Until(p.t, func() bool {
		return p.w.stack.Count(p.t, "SELECT count() AS n FROM events") == before+letters
	}, "what was replayed is counted once")
}

const script = `<script>window.entered=1</script><img src=x onerror="window.entered=1">`

func (p *person) readsScriptsAsText() {
	p.w.spoil(script)
	p.w.operator("ben", false).until("/console/dead-letters?queue=events", "/console/dead-letters/letter")
	p.press("Log out")
	p.logIn(p.w.operatorToken(p.t, script))
	p.sees(script)
	escaped := url.QueryEscape(script)
	for _, path := range []string{
		"/feed?user=" + escaped, "/why-not?user=" + escaped + "&post=" + escaped, "/actions?who=" + escaped,
		"/dead-letters?reason=" + escaped,
	} {
		p.open("/console" + path)
		p.sees(script)
		p.isWhole()
	}
	_, err := p.w.stack.Postgres.Exec(p.t.Context(), `UPDATE users SET name = $1 WHERE id = 3`, script)
	require.NoError(p.t, err)
	p.open("/console/feed")
	p.fill("user", "onerror")
	p.press("Find by name")
	p.sees("Users whose name has", script)
	p.isWhole()
	p.follow("table", "3")
	p.sees("User 3 is called " + script)
	p.isWhole()
	p.open("/console/dead-letters?queue=events")
	p.press("events:")
	p.sees("It may hold personal values")
	p.press("Show it")
	p.sees("Value", script)
	p.isWhole()
}

// isWhole holds that nothing that somebody wrote was run.
func (p *person) isWhole() {
	p.t.Helper()
	require.Equal(p.t, "undefined", p.evaluates("typeof window.entered"))
	require.Equal(p.t, "0", p.evaluates(`String(document.querySelectorAll("img[src=x]").length)`))
}

func (p *person) seesClickHouseGoAndCome(clickhouse *embedded.Server) {
	p.open("/console/pipeline")
	p.sees("rates of the last")
	require.NoError(p.t, clickhouse.Kill())
	p.sees("something fails")
	p.open("/console/feed?user=1")
	p.sees("Feed of user 1", "Where it came from", "why here")
	p.open("/console/operations")
	p.sees("clickhouse", "failing")
	require.NoError(p.t, clickhouse.Start(p.t.Context()))
	p.open("/console/pipeline")
	wait.Until(p.t, func() bool {
		text := p.text()
		return strings.Contains(text, "Kafka → ClickHouse") && !strings.Contains(text, "something fails")
	}, "the pipeline is well again, in:\n%s", lazily(p.text))
}

// authorOf is whose a post is.
func (w *world) authorOf(post string) string {
	w.t.Helper()
	var author string
	require.NoError(w.t, w.stack.Postgres.QueryRow(w.t.Context(),
		`SELECT author_id::text FROM posts WHERE id::text = $1`, post).Scan(&author))
	return author
}

// acts sends what a user did, as an app does.
func (w *world) acts(t *testing.T, user core.ID, action, post string) {
	t.Helper()
	token, err := auth.Sign(w.cfg.Auth, user, false, time.Hour, time.Now())
	require.NoError(t, err)
	body, err := json.Marshal(map[string]any{"events": []any{map[string]any{
		"event_id": uuid.NewString(), "action": action, "post_id": post, "author_id": w.authorOf(post),
		"occurred_at": time.Now().UTC().Format(time.RFC3339Nano),
	}}})
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		"http://"+w.program.Addr()+"/api/v1/events", bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	require.Equal(t, http.StatusAccepted, response.StatusCode)
}

// publishDeadLetters puts so many events among the dead letters that were wrong when they came, and are not any more.
func (w *world) publishDeadLetters(t *testing.T, n int) {
	t.Helper()
	producer := kafka.NewProducer(w.cfg.Kafka)
	defer func() { require.NoError(t, producer.Close()) }()
	queue := deadletter.NewPublisher(w.cfg.Kafka.Topic(w.cfg.DeadLetter.EventsTopic), "1.2.3", producer,
		core.SystemClock{}, deadletter.NewMetrics(prometheus.NewRegistry()))
	topic := w.cfg.Kafka.Topic(w.cfg.Events.Topic)
	dead := make([]kafka.DeadLetter, n)
	for i := range dead {
		record := codec.Record(topic, core.Event{
			ID: core.EventID(uuid.New()), UserID: core.ID(2 + i%18), PostID: core.ID(1 + i%60),
			AuthorID: core.ID(2 + i%18),
			Action:   core.ActionImpression, OccurredAt: time.Now(), ReceivedAt: time.Now(),
		})
		key, err := record.Key.Encode()
		require.NoError(t, err)
		value, err := record.Value.Encode()
		require.NoError(t, err)
		dead[i] = kafka.DeadLetter{
			Topic: topic, Epoch: 1, Partition: 0, Offset: int64(1_000_000 + i), Key: key, Value: value,
			Timestamp: time.Now(), Headers: record.Headers, Reason: "unknown_version",
			Detail: "a newer program wrote it",
		}
	}
	require.NoError(t, queue.Publish(t.Context(), dead))
}
