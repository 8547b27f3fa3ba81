package seed_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/lab/seed"
	"github.com/feedrank/feedrank/modules/lab/seed/world"
)

// api answers like the events API, as far as a client can tell.
type api struct {
	mu       sync.Mutex
	status   []int // of the next calls; then 202
	answer   string
	events   map[string]string // event id to user
	calls    int
	mostBody int
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls++
	if len(a.status) > 0 {
		status := a.status[0]
		a.status = a.status[1:]
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(status)
		return
	}
	var body struct {
		Events []map[string]any `json:"events"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Path != "/api/v1/events" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	a.mostBody = max(a.mostBody, len(body.Events))
	for _, e := range body.Events {
		a.events[e["event_id"].(string)] = r.Header.Get("Authorization")
	}
	w.WriteHeader(http.StatusAccepted)
	answer, _ := json.Marshal(map[string]any{"accepted": len(body.Events), "rejected": []any{}})
	if a.answer != "" {
		answer = []byte(a.answer)
	}
	_, _ = w.Write(answer)
}

func poster(t *testing.T, a *api) (*seed.Poster, *[]time.Duration) {
	t.Helper()
	a.events = map[string]string{}
	server := httptest.NewServer(a)
	client := server.Client()
	t.Cleanup(func() {
		client.CloseIdleConnections()
		server.Close()
	})
	var mu sync.Mutex
	waits := &[]time.Duration{}
	return seed.NewPoster(seed.PosterConfig{
		BaseURL: server.URL, Client: client, Concurrency: 4, Patience: time.Minute,
		Token: func(user core.Key) (string, error) { return "of-" + user.String(), nil },
		Wait: func(_ context.Context, d time.Duration) error {
			mu.Lock()
			defer mu.Unlock()
			*waits = append(*waits, d)
			return nil
		},
	}), waits
}

func someEvents(t *testing.T) []core.Event {
	t.Helper()
	w, err := world.New(world.Options{
		Seed: 2, Users: 100, Posts: 500, Events: 3000, Window: 24 * time.Hour,
		Now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC),
	})
	require.NoError(t, err)
	var events []core.Event
	for session := range w.Sessions() {
		events = append(events, session...)
	}
	return events
}

func TestEveryEventIsPostedWithTheTokenOfItsUser(t *testing.T) {
	a := &api{}
	p, _ := poster(t, a)
	events := someEvents(t)
	require.NoError(t, p.Send(t.Context(), events))
	require.Len(t, a.events, len(events))
	users := map[string]int{}
	for _, e := range events {
		users["Bearer of-"+e.UserID.String()]++
	}
	got := map[string]int{}
	for _, user := range a.events {
		got[user]++
	}
	require.Equal(t, users, got)
	require.LessOrEqual(t, a.mostBody, 100)
}

func TestARunOfOneUserIsCutIntoCallsOf100(t *testing.T) {
	a := &api{}
	p, _ := poster(t, a)
	events := someEvents(t)[:350]
	for i := range events {
		events[i].UserID = 5
	}
	require.NoError(t, p.Send(t.Context(), events))
	require.Equal(t, 4, a.calls)
	require.Equal(t, 100, a.mostBody)
}

func TestWhatTheAPIHasNoRoomForIsSentAgainAfterTheTimeItAskedFor(t *testing.T) {
	a := &api{status: []int{http.StatusTooManyRequests, http.StatusServiceUnavailable}}
	p, waits := poster(t, a)
	require.NoError(t, p.Send(t.Context(), someEvents(t)[:1]))
	require.EqualValues(t, 2, p.Retries())
	require.Equal(t, []time.Duration{3 * time.Second, 3 * time.Second}, *waits)
	require.Len(t, a.events, 1)
}

func TestWhatTheAPIRefusesIsNotSentAgain(t *testing.T) {
	a := &api{status: []int{http.StatusUnauthorized}}
	p, _ := poster(t, a)
	require.ErrorIs(t, p.Send(t.Context(), someEvents(t)[:1]), seed.ErrRejected)
	require.Equal(t, 1, a.calls)

	a = &api{answer: `{"accepted":0,"rejected":[{"index":0,"field":"occurred_at","code":"too_old","reason":"older than 168h"}]}`}
	p, _ = poster(t, a)
	err := p.Send(t.Context(), someEvents(t)[:1])
	require.ErrorIs(t, err, seed.ErrRejected)
	require.ErrorContains(t, err, "too_old")

	a = &api{answer: `{"accepted":0}`}
	p, _ = poster(t, a)
	require.ErrorIs(t, p.Send(t.Context(), someEvents(t)[:1]), seed.ErrRejected)
}

func TestAnAPIThatDoesNotAnswerIsAskedAgainUntilPatienceEnds(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	p := seed.NewPoster(seed.PosterConfig{
		BaseURL: server.URL, Client: &http.Client{}, Concurrency: 1, Patience: 20 * time.Millisecond,
		Token: func(core.Key) (string, error) { return "x", nil },
	})
	require.Error(t, p.Send(t.Context(), someEvents(t)[:1]))
	require.NotZero(t, p.Retries())
}
