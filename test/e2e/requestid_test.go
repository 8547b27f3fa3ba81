package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/feedrank/feedrank/app"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/platform/auth"
	"github.com/feedrank/feedrank/test/stack"
	"github.com/feedrank/feedrank/test/wait"
)

// keptLog is a log as the program writes it, down to what only debugging asks for.
func keptLog() (*lockedBuffer, *zap.Logger) {
	kept := &lockedBuffer{}
	return kept, zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()),
		zapcore.AddSync(kept), zap.DebugLevel))
}

// lines are those of a kept log that hold all of some words.
func (l *lockedBuffer) lines(words ...string) (found []string) {
lines:
	for line := range strings.Lines(l.String()) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue lines
			}
		}
		found = append(found, line)
	}
	return found
}

// TestARequestIsNamedWhereverItMakesTrouble follows requests by their ids: the answer, the log, the record of what
// operators do, the event's record in Kafka, the consumer's log, the dead letter.
func TestARequestIsNamedWhereverItMakesTrouble(t *testing.T) {
	s := stack.New(t)
	cfg := settings(t, s, string(app.All))
	cfg.HTTP.AccessLog = true
	said, log := keptLog()
	_, err := app.Migrate(t.Context(), cfg, false)
	require.NoError(t, err)
	running, err := app.Start(t.Context(), cfg, log)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	defer func() { require.NoError(t, running.Stop()) }()
	call := func(id, method, path, body string, admin bool) (int, string) {
		token, err := auth.Sign(cfg.Auth, viewer, admin, time.Hour, time.Now())
		require.NoError(t, err)
		addr := running.Addr()
		if admin {
			addr = running.AdminAddr()
		}
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("X-Request-Id", id)
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := client.Do(request)
		require.NoError(t, err)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, id, response.Header.Get("X-Request-Id"))
		return response.StatusCode, string(text)
	}

	// an operator's change: answer, log, record
	status, answer := call("forces-1", http.MethodPut, "/admin/v1/breaker/redis", `{"mode": "auto"}`, true)
	require.Equal(t, http.StatusOK, status, answer)
	require.Len(t, said.lines("forced by an operator", `"request_id":"forces-1"`), 1)
	require.Len(t, said.lines("an operator changed something", `"request_id":"forces-1"`), 1)
	_, answer = call("looks-1", http.MethodGet, "/admin/v1/actions", "", true)
	require.Contains(t, answer, `"request_id":"forces-1"`)

	// a failure inside: problem and log
	_, err = s.Postgres.Exec(t.Context(), "ALTER TABLE feedrank.ranking_versions RENAME TO away")
	require.NoError(t, err)
	status, answer = call("fails-1", http.MethodGet, "/admin/v1/ranking", "", true)
	require.Equal(t, http.StatusServiceUnavailable, status, answer)
	require.Contains(t, answer, `"request_id":"fails-1"`)
	require.Len(t, said.lines("request could not be answered", `"request_id":"fails-1"`), 1)
	_, err = s.Postgres.Exec(t.Context(), "ALTER TABLE feedrank.away RENAME TO ranking_versions")
	require.NoError(t, err)

	// an event that ClickHouse refuses: the consumer's log and the dead letter
	s.Exec(t, "ALTER TABLE events ADD CONSTRAINT no_ones CHECK post_id != 666")
	status, answer = call("likes-1", http.MethodPost, "/api/v1/events", `{"events": [{"event_id": "`+uuid.NewString()+
		`", "action": "view", "post_id": "666", "author_id": "3", "occurred_at": "`+
		time.Now().UTC().Format(time.RFC3339)+`"}]}`, false)
	require.Equal(t, http.StatusAccepted, status, answer)
	wait.Until(t, func() bool { return len(said.lines("ClickHouse refuses a batch")) > 0 })
	require.Len(t, said.lines("ClickHouse refuses a batch", `"request_ids":["likes-1"]`), 1)
	require.Equal(t, said.lines("the outcome of a write is not known"),
		said.lines("the outcome of a write is not known", "likes-1"), "no other request was in that batch")
	at := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(said.lines("ClickHouse refuses a batch")[0]), &at))
	partition, offset := int(at["partition"].(float64)), int64(at["first_offset"].(float64))
	asking, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, app.WithOwners(cfg, func(owners *ledger.Owners) error {
		_, err := owners.Quarantine(asking, partition, offset, offset)
		return err
	}))
	require.Len(t, said.lines("records became dead letters", "likes-1"), 1)
	_, answer = call("looks-2", http.MethodGet, "/admin/v1/dead-letters?queue=events", "", true)
	var letters struct{ Items []struct{ ID string } }
	require.NoError(t, json.Unmarshal([]byte(answer), &letters), answer)
	require.Len(t, letters.Items, 1)
	_, answer = call("looks-3", http.MethodGet, "/admin/v1/dead-letters/"+letters.Items[0].ID+"?queue=events", "", true)
	require.Contains(t, answer, `"feedrank-request-id":"likes-1"`)

	for _, id := range []string{"forces-1", "fails-1", "likes-1", "looks-1", "looks-2", "looks-3"} {
		require.Len(t, said.lines(`"msg":"request"`, `"request_id":"`+id+`"`), 1, "the access log")
	}
}
