package feed_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/wait"
)

// How a test asks a world for feeds, and reads the answers.

// page is the body of a feed's answer.
type page struct {
	Items []struct {
		Post      core.ID   `json:"post"`
		Author    core.ID   `json:"author"`
		CreatedAt time.Time `json:"created_at"`
		Score     float64   `json:"score"`
		Source    string    `json:"source"`

		FeedSession string `json:"feed_session"`
		Explain     *struct {
			Freshness   float64            `json:"freshness"`
			Engagement  float64            `json:"engagement"`
			Affinity    float64            `json:"affinity"`
			Weights     map[string]float64 `json:"weights"`
			Inputs      map[string]float64 `json:"inputs"`
			Adjustments []string           `json:"adjustments"`
			Position    struct{ Before, After int }
		} `json:"explain"`
	} `json:"items"`
	NextCursor *string `json:"next_cursor"`
	ServedFrom string  `json:"served_from"`
	Degraded   bool    `json:"degraded"`
	Algo       string  `json:"algo"`
	Stages     []struct {
		Name      string
		Ms        float64
		Computing []struct{ Name string }
	} `json:"stages"`
	Sources []struct {
		Name string `json:"name"`
		OK   bool   `json:"ok"`
	} `json:"sources"`
}

func (p page) posts() []core.ID {
	ids := make([]core.ID, len(p.Items))
	for i, item := range p.Items {
		ids[i] = item.Post
	}
	return ids
}

func (w *world) call(user int, path string) (int, []byte) {
	w.t.Helper()
	return w.do(http.MethodGet, user, path, "")
}

func (w *world) do(method string, user int, path, text string) (int, []byte) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, "http://"+w.server.Addr()+path,
		strings.NewReader(text))
	require.NoError(w.t, err)
	request.Header.Set("Authorization", strconv.Itoa(user))
	response, err := w.client.Do(request)
	require.NoError(w.t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(w.t, errors.Join(err, response.Body.Close()))
	return response.StatusCode, body
}

// get asks for a page and holds that it is one.
func (w *world) get(user int, query string) page {
	w.t.Helper()
	return w.list(user, "/api/v1/feed?"+query)
}

func (w *world) list(user int, path string) page {
	w.t.Helper()
	status, body := w.call(user, path)
	require.Equal(w.t, http.StatusOK, status, string(body))
	return w.parse(body)
}

func (w *world) parse(body []byte) page {
	w.t.Helper()
	var p page
	require.NoError(w.t, json.Unmarshal(body, &p), string(body))
	return p
}

// cached asks until the answer comes from the cache: entries are written after the answer.
func (w *world) cached(user int, query string) page {
	w.t.Helper()
	var p page
	wait.Until(w.t, func() bool {
		p = w.get(user, query)
		return p.ServedFrom == "cache"
	})
	w.settled()
	return p
}

// settled waits until no computation is left that what is asked next could join. One that has told its page and
// written its entry may not have ended.
func (w *world) settled() {
	w.t.Helper()
	wait.Until(w.t, func() bool { return w.counter("feedrank_feed_computations", "") == 0 })
}

func (p page) next() string {
	if p.NextCursor == nil {
		return ""
	}
	return "cursor=" + url.QueryEscape(*p.NextCursor)
}

type problem struct{ Code, Field string }

func (w *world) refused(user int, path string) (int, problem) {
	w.t.Helper()
	status, body := w.call(user, path)
	var p problem
	require.NoError(w.t, json.Unmarshal(body, &p), string(body))
	return status, p
}

// expired leaves viewer 1, who follows 2, with an entry that has expired.
func (w *world) expired() {
	w.t.Helper()
	w.follow(1, 2)
	w.post(102, 2, time.Hour)
	w.load()
	w.cached(1, "")
	w.clock.advance(35 * time.Minute)
	require.NoError(w.t, w.hot.Refresh(w.t.Context(), true))
}
