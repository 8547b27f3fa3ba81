package deadletter

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/IBM/sarama"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/schema"
)

func newOrders(t *testing.T) *Orders {
	t.Helper()
	pool, _ := schema.New(t)
	return NewOrders(pool)
}

// dying ends a context when it has sent so often.
type dying struct {
	*kafka.Producer
	left int
	die  context.CancelFunc
}

func (d *dying) Send(ctx context.Context, messages ...*sarama.ProducerMessage) error {
	if d.left--; d.left < 0 {
		d.die()
		return context.Canceled
	}
	return d.Producer.Send(ctx, messages...)
}

func (w *world) publishMany(t *testing.T, n int) {
	t.Helper()
	letters := make([]Letter, n)
	for i := range letters {
		letters[i] = w.letter(int64(i), "malformed")
	}
	w.publish(t, letters...)
}

func TestAnOrderGoesOnWhereALeaderLeftIt(t *testing.T) {
	w, orders := newWorld(t), newOrders(t)
	const letters = 2*batchLetters + 200
	w.publishMany(t, letters)
	_, err := orders.add(t.Context(), "events", Replayed, Filter{Reason: "malformed"})
	require.NoError(t, err)

	ctx, die := context.WithCancel(t.Context())
	w.service.producer = &dying{Producer: w.producer, left: 3, die: die} // a batch, and what it replays of the second
	require.ErrorIs(t, NewJob(w.service, orders, core.SystemClock{}, zap.NewNop()).Run(ctx, 1), context.Canceled)
	all, err := orders.last(t.Context())
	require.NoError(t, err)
	require.Equal(t, Outcome{Matched: letters, Done: batchLetters}, all[0].Outcome)
	require.Nil(t, all[0].FinishedAt)

	w.service.producer = w.producer
	require.NoError(t, NewJob(w.service, orders, core.SystemClock{}, zap.NewNop()).Run(t.Context(), 2))
	all, err = orders.last(t.Context())
	require.NoError(t, err)
	require.Equal(t, Outcome{Matched: letters, Done: letters}, all[0].Outcome)
	require.NotNil(t, all[0].FinishedAt)
	require.Empty(t, all[0].Error)
	replayed := map[string]int{}
	for _, m := range w.sourceRecords(t) {
		replayed[string(m.Value)]++
	}
	require.Len(t, replayed, letters)
	for value, times := range replayed {
		require.LessOrEqual(t, times, 2, value)
	}
}

func TestAnOrderThatCannotBeCarriedOutSaysWhy(t *testing.T) {
	w, orders := newWorld(t), newOrders(t)
	_, err := orders.add(t.Context(), "cdc", Replayed, Filter{Reason: "malformed"})
	require.NoError(t, err)
	_, err = orders.add(t.Context(), "events", Discarded, Filter{Reason: "malformed"})
	require.NoError(t, err)
	w.publishMany(t, 3)
	require.NoError(t, NewJob(w.service, orders, core.SystemClock{}, zap.NewNop()).Run(t.Context(), 1))
	all, err := orders.last(t.Context())
	require.NoError(t, err)
	require.Equal(t, Outcome{Matched: 3, Done: 3}, all[0].Outcome)
	require.Equal(t, ErrNoReplay.Error(), all[1].Error)
	for range 60 {
		_, err = orders.add(t.Context(), "events", Discarded, Filter{Reason: "malformed"})
		require.NoError(t, err)
	}
	require.NoError(t, NewJob(w.service, orders, core.SystemClock{}, zap.NewNop()).Run(t.Context(), 1))
	_, err = orders.add(t.Context(), "events", Discarded, Filter{Reason: "malformed"})
	require.NoError(t, err)
	var kept int
	require.NoError(t, orders.pool.QueryRow(t.Context(), "SELECT count(*) FROM feedrank.dead_letter_orders").Scan(&kept))
	require.Equal(t, 50, kept)
}

type woken int

func (w *woken) Wake(context.Context) error { *w++; return nil }

func TestWhatIsDoneInTheBackgroundIsOrdered(t *testing.T) {
	w, orders := newWorld(t), newOrders(t)
	var asked woken
	api := NewAPI(w.service, orders, &asked)
	call := func(body string) (*httptest.ResponseRecorder, error) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		rec := httptest.NewRecorder()
		return rec, api.act(echo.New().NewContext(r, rec), Replayed, w.service.Replay)
	}
	rec, err := call(`{"reason":"malformed","background":true}`)
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, rec.Code)
	require.Contains(t, rec.Body.String(), `"id":"1","queue":"events","action":"replayed"`)
	for body, code := range map[string]core.Code{
		`{"queue":"cdc","reason":"malformed","background":true}`: core.CodeConflict,
		`{"queue":"x","reason":"malformed","background":true}`:   core.CodeNotFound,
		`{"background":true}`: core.CodeInvalidRequest,
	} {
		_, err := call(body)
		require.Equal(t, code, core.CodeOf(err), body)
	}
	require.EqualValues(t, 1, asked)
	all, err := orders.last(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
}
