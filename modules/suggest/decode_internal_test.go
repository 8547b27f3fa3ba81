package suggest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func FuzzAListFromRedisIsReadOrRefused(f *testing.F) {
	f.Add([]byte(`{"computed_at":"2026-01-01T00:00:00Z","fresh_until":"2026-01-01T00:10:00Z","items":[{"user":"7","reason":{"kind":"popular"},"score":1}]}`))
	f.Add([]byte(`{"items":[{"user":"0"}]}`))
	f.Add([]byte(`[{"user":"7","count":3}]`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if e, err := decodeEntry(text); err == nil {
			for _, item := range e.Items {
				require.True(t, item.User.Valid())
			}
		}
		if people, err := decodePopular(text); err == nil {
			for _, p := range people {
				require.True(t, p.User.Valid())
			}
		}
	})
}

func TestAListIsReadAsItWasWritten(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	want := &entry{
		ComputedAt: at, FreshUntil: at.Add(time.Minute),
		Items: []Item{{User: 7, Reason: Reason{Kind: FollowedBy, Count: 3}, Score: 0.5}},
	}
	text, err := json.Marshal(want)
	require.NoError(t, err)
	got, err := decodeEntry(text)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestAScoreRisesWithWhatSpeaksForSomebody(t *testing.T) {
	w := DefaultConfig().Weights
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.Int64Range(0, 1_000_000)
		one := candidate{
			followedBy: n.Draw(rt, "followed by"), engagedBy: n.Draw(rt, "engaged by"),
			engaged: n.Draw(rt, "engaged"), popular: n.Draw(rt, "popular"),
		}
		more := one
		switch rapid.IntRange(0, 3).Draw(rt, "which") {
		case 0:
			more.followedBy++
		case 1:
			more.engagedBy++
		case 2:
			more.engaged++
		default:
			more.popular++
		}
		if more.score(&w) <= one.score(&w) {
			rt.Fatal("more speaks for them, but they do not rise")
		}
	})
}
