package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/erase/export"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
)

// held is a line of an export.
type held struct {
	From string
	Row  json.RawMessage
}

func lines(t *testing.T, text []byte) (all []held) {
	t.Helper()
	for line := range bytes.Lines(text) {
		var h held
		require.NoError(t, json.Unmarshal(line, &h), string(line))
		all = append(all, h)
	}
	return all
}

// TestAPersonsDataIsHandedOutWhole compares an export with what was done, by the command and by the call.
func TestAPersonsDataIsHandedOutWhole(t *testing.T) {
	s := stack.New(t)
	p := start(t, settings(t, s, "all"))
	world(t, s)
	producer := kafka.NewProducer(s.KafkaConfig)
	defer func() { require.NoError(t, producer.Close()) }()
	life(t, s, producer)
	p.eventually("the events are applied", func() bool {
		return s.Count(t, "SELECT count() AS n FROM events") == 30*15
	})
	count := func(table, column string) int {
		return s.Count(t, fmt.Sprintf("SELECT count() AS n FROM %s WHERE %s = %d", table, column, person))
	}
	p.eventually("the changes are applied", func() bool {
		return count("follows", "follower_id") == 4 && count("posts", "author_id") == 5 &&
			count("blocks", "user_id") == 2 && count("likes", "user_id") > 0 && count("comments", "author_id") > 0
	})
	status, _ := p.feed(person, "limit=10")
	require.Equal(t, http.StatusOK, status)

	p.eventually("what is kept in Redis is there", func() bool {
		var out bytes.Buffer
		tail, err := app.Export(t.Context(), p.cfg, core.Key{ID: person}, &out, func(string, int64) {})
		require.NoError(t, err)
		return tail.Rows["redis"] > 0
	})
	var out bytes.Buffer
	tail, err := app.Export(t.Context(), p.cfg, core.Key{ID: person}, &out, func(string, int64) {})
	require.NoError(t, err)
	all := lines(t, out.Bytes())
	require.Contains(t, string(all[0].Row), `"user":"`+person.String()+`"`)
	var last export.Tail
	require.NoError(t, json.Unmarshal(all[len(all)-1].Row, &last))
	require.True(t, last.Complete)
	require.Equal(t, tail, last)
	rows := map[string]int64{}
	for _, h := range all[1 : len(all)-1] {
		rows[h.From]++
		require.Containsf(t, string(h.Row), person.String(), "%s: it is of another", h.From)
	}
	require.Equal(t, rows, tail.Rows)
	require.EqualValues(t, 30*5, rows["clickhouse.events"])
	for place, want := range map[string]int{
		"users": 1, "posts": 5, "follows": 4, "blocks": 2, "likes": count("likes", "user_id"),
		"comments": count("comments", "author_id"), "user_author_90d": count("user_author_90d", "user_id"),
	} {
		require.EqualValues(t, want, rows["clickhouse."+place], place)
	}
	require.NotContains(t, out.String(), "blocked_by", "who blocks them is not told")

	token, err := auth.SignOperator(p.cfg.Auth, "ana", false, time.Hour, time.Now())
	require.NoError(t, err)
	ask := func(token, body string) (int, []byte) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/admin/v1/people/export",
			strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := p.client.Do(request)
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode, text
	}
	status, text := ask(token, `{"user":"`+person.String()+`"}`)
	require.Equal(t, http.StatusOK, status)
	called := lines(t, text)
	require.NoError(t, json.Unmarshal(called[len(called)-1].Row, &last))
	require.True(t, last.Complete)
	require.EqualValues(t, 30*5, last.Rows["clickhouse.events"])
	own, err := auth.Sign(p.cfg.Auth, person, false, time.Hour, time.Now())
	require.NoError(t, err)
	status, _ = ask(own, `{"user":"`+person.String()+`"}`)
	require.Equal(t, http.StatusForbidden, status, "no user exports anybody")
	for _, body := range []string{"", "{}", `{"user":"x"}`, `{"user":7}`} {
		status, _ = ask(token, body)
		require.Equal(t, http.StatusBadRequest, status, body)
	}
	p.eventually("the call is recorded", func() bool {
		var n int
		require.NoError(t, s.Postgres.QueryRow(t.Context(),
			"SELECT count(*) FROM feedrank.admin_actions WHERE what = 'people.export' AND status = 200").Scan(&n))
		return n == 1
	})
}
