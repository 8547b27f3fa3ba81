package core_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
)

func TestAnIntegerKeyIsItsOwnNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := core.ID(rapid.Int64Range(1-1<<62, 1<<62-1).Filter(func(n int64) bool { return n != 0 }).Draw(t, "id"))
		require.False(t, id.Derived())
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

func TestEveryOtherKeyHasANumberThatNoIntegerHas(t *testing.T) {
	for _, key := range []string{
		"0", "-0", "+1", "01", " 1", "1 ", "1.0", "1e3", "abc", "١", "-", "🙂", "4611686018427387904",
		"-4611686018427387904", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
		"0192f0c1-8a4e-7cc3-98c4-dc0c0c07398f", "01ARZ3NDEKTSV4RRFFQ69G5FAV", strings.Repeat("x", core.MaxKey),
	} {
		id, err := core.ParseID(key)
		require.NoError(t, err, "%q", key)
		require.True(t, id.Derived(), "%q: %d", key, id)
		again, err := core.ParseID(key)
		require.NoError(t, err)
		require.Equal(t, id, again)
	}
}

// The number of a key stands in ClickHouse, in Redis and in Kafka: it may never change.
func TestADerivedNumberStaysTheSame(t *testing.T) {
	for key, want := range map[string]core.ID{
		"abc": -5010229573455851542, "0192f0c1-8a4e-7cc3-98c4-dc0c0c07398f": 6005517179926325259,
		"x": 7886108898298867780,
	} {
		id, err := core.ParseID(key)
		require.NoError(t, err)
		require.Equal(t, want, id, key)
	}
}

func TestTextThatCanBeNoKeyIsRefused(t *testing.T) {
	for _, key := range []string{"", "a\x00b", "a\nb", "\x7f", "\xff", strings.Repeat("x", core.MaxKey+1)} {
		_, err := core.ParseID(key)
		require.ErrorIs(t, err, core.ErrInvalidID, "%q", key)
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

func TestAKeyIsReadInTheFormOfItsTable(t *testing.T) {
	const id = "0192f0c1-8a4e-7cc3-98c4-dc0c0c07398f"
	for _, c := range []struct {
		form core.KeyForm
		text string
		want string // empty: refused
	}{
		{core.IntegerKeys, "42", "42"},
		{core.IntegerKeys, "-1", "-1"},
		{core.IntegerKeys, "9223372036854775807", "9223372036854775807"},
		{core.IntegerKeys, "-9223372036854775808", "-9223372036854775808"},
		{"", "42", "42"},
		{"", "abc", ""},
		{core.IntegerKeys, "0", ""},
		{core.IntegerKeys, "-0", ""},
		{core.IntegerKeys, "042", ""},
		{core.IntegerKeys, "+42", ""},
		{core.IntegerKeys, " 42", ""},
		{core.IntegerKeys, "9223372036854775808", ""},
		{core.IntegerKeys, "09223372036854775807", ""},
		{core.IntegerKeys, id, ""},
		{core.UUIDKeys, id, id},
		{core.UUIDKeys, strings.ToUpper(id), id},
		{core.UUIDKeys, "42", ""},
		{core.UUIDKeys, id + "0", ""},
		{core.UUIDKeys, strings.Replace(id, "-", "0", 1), ""},
		{core.UUIDKeys, strings.Replace(id, "f", "g", 1), ""},
		{core.TextKeys, "abc", "abc"},
		{core.TextKeys, "42", "42"},
		{core.TextKeys, "0", "0"},
		{core.TextKeys, "", ""},
	} {
		k, err := c.form.Parse(c.text)
		if c.want == "" {
			require.Error(t, err, "%s %q", c.form, c.text)
			continue
		}
		require.NoError(t, err, "%s %q", c.form, c.text)
		require.Equal(t, c.want, k.String())
		require.Equal(t, k.ID.Derived(), k.Text != "")
		same, err := core.ParseKey(c.want)
		require.NoError(t, err)
		require.Equal(t, same, k, "its number hangs on its text alone")
	}
}

func TestANumberSurvivesItsJSONWhateverItWasMadeFrom(t *testing.T) {
	for _, key := range []string{"1", "-1", "abc", "x", "9223372036854775807"} {
		id, err := core.ParseID(key)
		require.NoError(t, err)
		text, err := json.Marshal(id)
		require.NoError(t, err)
		var back core.ID
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, id, back, key)
		again, err := core.ParseNumber(id.String())
		require.NoError(t, err)
		require.Equal(t, id, again)
	}
	for _, text := range []string{`"abc"`, `"0"`, `"-0"`, `"01"`, `"+1"`, `1.5`, `""`, `"9223372036854775808"`} {
		require.Error(t, json.Unmarshal([]byte(text), new(core.ID)), text)
	}
}

func TestTheTextOfAKeyIsAStringOfJSON(t *testing.T) {
	for _, key := range []string{"abc", `a"b\c`, "<a&b>", "🙂", "7", "0"} {
		k, err := core.ParseKey(key)
		require.NoError(t, err)
		text, err := json.Marshal(k)
		require.NoError(t, err)
		require.Equal(t, text, k.AppendJSON(nil))
		var back string
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, key, back)
		require.NotContains(t, string(text), "<")
	}
}
