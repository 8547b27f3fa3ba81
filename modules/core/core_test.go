package core_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
)

func TestAnIDSurvivesItsTextAndItsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := core.ID(rapid.Int64Min(1).Draw(t, "id"))
		parsed, err := core.ParseID(id.String())
		require.NoError(t, err)
		require.Equal(t, id, parsed)

		text, err := json.Marshal(id)
		require.NoError(t, err)
		require.Equal(t, `"`+id.String()+`"`, string(text))
		var back core.ID
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, id, back)
	})
}

func TestTextThatIsNotAnIDIsRefused(t *testing.T) {
	for _, s := range []string{"", "0", "-1", "+1", "01", " 1", "1 ", "1.0", "1e3", "9223372036854775808", "abc", "١"} {
		_, err := core.ParseID(s)
		require.ErrorIs(t, err, core.ErrInvalidID, "%q", s)
	}
}

func TestEveryActionIsFoundByItsName(t *testing.T) {
	require.Len(t, core.Actions(), 11)
	for _, a := range core.Actions() {
		got, ok := core.ParseAction(a.String())
		require.True(t, ok)
		require.Equal(t, a, got)
	}
	for _, name := range []string{"", "LIKE", "unknown", "likes"} {
		_, ok := core.ParseAction(name)
		require.False(t, ok, "%q", name)
	}
	require.False(t, core.Action(200).Valid())
}

func TestTheCodeOfAnErrorIsFoundThroughItsWrapping(t *testing.T) {
	inner := core.InvalidField("limit", "want 1 to 100")
	require.Equal(t, core.CodeInvalidRequest, core.CodeOf(fmt.Errorf("feed: %w", inner)))
	require.Equal(t, core.CodeInternal, core.CodeOf(errors.New("other")))
	require.ErrorIs(t, core.Unavailable("Kafka", 0, errors.ErrUnsupported), errors.ErrUnsupported)
}

func TestAnIntervalHasPassedAfterItsTimeAndWhenTheClockWasSetBack(t *testing.T) {
	began := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	require.True(t, core.Within(time.Minute, began, began))
	require.True(t, core.Within(time.Minute, began, began.Add(time.Minute-1)))
	require.False(t, core.Within(time.Minute, began, began.Add(time.Minute)))
	require.False(t, core.Within(time.Minute, began, began.Add(-time.Hour)))
	require.False(t, core.Within(time.Minute, time.Time{}, began), "it has never begun")
}
