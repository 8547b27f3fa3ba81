package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/erase/order"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/stack"
)

// TestAPersonIsErasedThroughTheAPI asks an operator's way, follows the progress, and looks for anything left.
func TestAPersonIsErasedThroughTheAPI(t *testing.T) {
	s := stack.New(t)
	p := start(t, settings(t, s, "all"))
	world(t, s)
	producer := kafka.NewProducer(s.KafkaConfig)
	defer func() { require.NoError(t, producer.Close()) }()
	life(t, s, producer)
	p.eventually("the events and the changes are applied", func() bool {
		return s.Count(t, "SELECT count() AS n FROM events") == 30*15 &&
			s.Count(t, fmt.Sprintf("SELECT count() AS n FROM blocks FINAL WHERE other_id = %d", person)) == 2 &&
			s.Count(t, fmt.Sprintf("SELECT count() AS n FROM comments WHERE author_id = %d", person)) > 0
	})
	operator, err := auth.SignOperator(p.cfg.Auth, "ana", false, time.Hour, time.Now())
	require.NoError(t, err)
	ask := func(token, method, path, body string, into any) int {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, p.url+"/admin/v1/people/erase"+path,
			strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := p.client.Do(request)
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		if into != nil {
			require.NoError(t, json.Unmarshal(text, into), string(text))
		}
		return response.StatusCode
	}
	body := `{"user":"` + person.String() + `","for_ever":true}`
	own, err := auth.Sign(p.cfg.Auth, person, false, time.Hour, time.Now())
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, ask(own, http.MethodPost, "", body, nil), "no user erases anybody")
	looker, err := auth.SignOperator(p.cfg.Auth, "ben", true, time.Hour, time.Now())
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, ask(looker, http.MethodPost, "", body, nil), "nor who may only look")

	var now order.Order
	require.Equal(t, http.StatusAccepted, ask(operator, http.MethodPost, "", body, &now))
	require.Equal(t, person.String(), *now.User)
	p.eventually("it is done", func() bool {
		require.Equal(t, http.StatusOK, ask(looker, http.MethodGet, fmt.Sprint("/", now.ID), "", &now))
		return now.FinishedAt != nil
	})
	require.Equal(t, now.Steps, now.Done)
	require.Contains(t, string(now.Report), `"finished":true`)
	require.Empty(t, leftovers(t, s))
	status, _ := p.call(http.MethodGet, "/api/v1/feed", person, "")
	require.Equal(t, http.StatusForbidden, status)
	var all struct{ Items []order.Order }
	require.Equal(t, http.StatusOK, ask(looker, http.MethodGet, "?limit=1", "", &all))
	require.Len(t, all.Items, 1)
	require.Nil(t, all.Items[0].User)
	require.Equal(t, http.StatusNotFound, ask(looker, http.MethodGet, "/99", "", nil))
	p.eventually("the call is recorded", func() bool {
		var n int
		require.NoError(t, s.Postgres.QueryRow(t.Context(),
			"SELECT count(*) FROM feedrank.admin_actions WHERE what = 'people.erase' AND who = 'ana' AND status = 202").Scan(&n))
		return n == 1
	})
}
