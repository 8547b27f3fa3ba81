package order

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/erase"
	"github.com/feedrank/feedrank/modules/lab/embedded"
	"github.com/feedrank/feedrank/modules/lab/embedded/embeddedtest"
	"github.com/feedrank/feedrank/test/schema"
)

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Only(embedded.Postgres)) }

func newOrders(t *testing.T) *Orders {
	t.Helper()
	pool, _ := schema.New(t)
	return NewOrders(pool)
}

func add(t *testing.T, o *Orders, user string) Order {
	t.Helper()
	order, err := o.Add(t.Context(), user)
	require.NoError(t, err)
	return order
}

func of(t *testing.T, o *Orders, id int64) Order {
	t.Helper()
	order, err := o.Of(t.Context(), id)
	require.NoError(t, err)
	return order
}

func TestAnErasureGoesOnWhereALeaderLeftIt(t *testing.T) {
	orders := newOrders(t)
	first := add(t, orders, "7")
	require.Equal(t, len(erase.Steps()), first.Steps)
	require.Equal(t, first.ID, add(t, orders, "7").ID, "there is one at a time for each person")
	other := add(t, orders, "8")
	require.NotEqual(t, first.ID, other.ID)

	ctx, die := context.WithCancel(t.Context())
	var erased []string
	run := func(ctx context.Context, last erase.Step, f func()) error {
		do := func(_ context.Context, people []core.Key, steps func(erase.Step) error) (erase.Report, error) {
			erased = append(erased, people[0].String())
			for _, step := range erase.Steps() {
				if err := steps(step); err != nil {
					return erase.Report{Users: people}, err
				}
				if step == last {
					f()
				}
			}
			return erase.Report{Users: people, Redis: 3, Finished: true}, nil
		}
		return NewJob(orders, core.IntegerKeys, do, zap.NewNop()).Run(ctx, 1)
	}
	require.ErrorIs(t, run(ctx, erase.StepRemoved, die), context.Canceled)
	left := of(t, orders, first.ID)
	require.Equal(t, erase.StepRemoved, left.Step)
	require.Equal(t, 3, left.Done)
	require.NotNil(t, left.StartedAt)
	require.Nil(t, left.FinishedAt)
	require.Equal(t, "7", *left.User)
	require.Equal(t, []string{"7"}, erased)

	require.NoError(t, run(t.Context(), "", nil))
	require.Equal(t, []string{"7", "7", "8"}, erased)
	for _, id := range []int64{first.ID, other.ID} {
		done := of(t, orders, id)
		require.NotNil(t, done.FinishedAt)
		require.Equal(t, done.Steps, done.Done)
		require.Nil(t, done.User, "it names nobody any more")
		require.Contains(t, string(done.Report), `"redis_keys": 3`)
		require.Contains(t, string(done.Report), `"users": null`)
	}
	require.NotEqual(t, first.ID, add(t, orders, "7").ID, "who is erased again has another")
}

func TestAnErasureThatFailsIsTriedAgainAndHoldsUpNoOther(t *testing.T) {
	orders := newOrders(t)
	bad, odd, good := add(t, orders, "7"), add(t, orders, "no number"), add(t, orders, "8")
	failing := errors.New("the server cannot remove rows \x00\xff" + strings.Repeat("é", maxDetail))
	do := func(_ context.Context, people []core.Key, _ func(erase.Step) error) (erase.Report, error) {
		if people[0].ID == 7 {
			return erase.Report{}, failing
		}
		return erase.Report{Finished: true}, nil
	}
	err := NewJob(orders, core.IntegerKeys, do, zap.NewNop()).Run(t.Context(), 1)
	require.ErrorIs(t, err, failing)
	require.NotNil(t, of(t, orders, good.ID).FinishedAt)
	require.Contains(t, of(t, orders, bad.ID).Error, "cannot remove rows ??")
	require.NotEmpty(t, of(t, orders, odd.ID).Error)
	failing = nil
	err = NewJob(orders, core.IntegerKeys, do, zap.NewNop()).Run(t.Context(), 1)
	require.Error(t, err, "a key of another form stays")
	require.Empty(t, of(t, orders, bad.ID).Error)
	require.NotNil(t, of(t, orders, bad.ID).FinishedAt)
}

type woken int

func (w *woken) Wake(context.Context) error { *w++; return nil }

func TestAnErasureIsAskedForWithAWordThatItIsForEver(t *testing.T) {
	orders := newOrders(t)
	var asked woken
	api := NewAPI(orders, core.IntegerKeys, func(_ context.Context, key core.Key) error {
		if key.ID == 9 {
			return core.Errorf(core.CodeConflict, "its number is another's")
		}
		return nil
	}, &asked)
	call := func(body string) (*httptest.ResponseRecorder, error) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		rec := httptest.NewRecorder()
		return rec, api.add(echo.New().NewContext(r, rec))
	}
	rec, err := call(`{"user":"7","for_ever":true}`)
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, rec.Code)
	require.Contains(t, rec.Body.String(), `"id":"1","user":"7"`)
	for body, code := range map[string]core.Code{
		`{"user":"7"}`:                  core.CodeInvalidRequest,
		`{"user":"x","for_ever":true}`:  core.CodeInvalidRequest,
		`{"user":7,"for_ever":true}`:    core.CodeMalformedJSON,
		`{"user":"9","for_ever":true}`:  core.CodeConflict,
		`{"user":"7","for_ever":"yes"}`: core.CodeMalformedJSON,
	} {
		_, err := call(body)
		require.Equal(t, code, core.CodeOf(err), body)
	}
	require.EqualValues(t, 1, asked)
	_, err = orders.Of(t.Context(), 99)
	require.ErrorIs(t, err, ErrUnknown)
}
