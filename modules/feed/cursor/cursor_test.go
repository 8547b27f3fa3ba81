package cursor_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/cursor"
)

type fixedClock struct{ now time.Time }

func (c *fixedClock) Now() time.Time { return c.now }

var (
	start  = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	secret = []byte("a secret of at least 32 bytes, for tests")
)

func codecAt(now time.Time, secrets ...[]byte) *cursor.Codec {
	if len(secrets) == 0 {
		secrets = [][]byte{secret}
	}
	return cursor.NewCodec(secrets, 30*time.Minute, &fixedClock{now: now})
}

func drawCursor(t *rapid.T) cursor.Cursor {
	c := cursor.Cursor{
		Algo:      rapid.SampledFrom([]cursor.Algo{cursor.Ranked, cursor.Timeline}).Draw(t, "algo"),
		Session:   rapid.Uint64().Draw(t, "session"),
		StartedAt: start, Ranking: rapid.Uint64().Draw(t, "ranking"),
		Narrowing: rapid.SampledFrom([]uint64{0, 1, 1<<64 - 1}).Draw(t, "narrowing"), Shown: rapid.IntRange(0, 1<<20).Draw(t, "shown"),
	}
	if c.Algo == cursor.Timeline {
		c.LastCreated = rapid.Int64().Draw(t, "created")
		c.LastPost = core.ID(rapid.Int64Min(1).Draw(t, "post"))
		return c
	}
	c.Place = rapid.IntRange(0, 1<<20).Draw(t, "place")
	if c.Place > 0 {
		deferred := rapid.SliceOfNDistinct(rapid.IntRange(0, min(c.Place-1, 2000)), 0, cursor.MaxDeferred,
			rapid.ID[int]).Draw(t, "deferred")
		slices.Sort(deferred)
		c.Deferred = append(c.Deferred, deferred...)
	}
	if rapid.Bool().Draw(t, "tells") {
		c.Shown = rapid.IntRange(0, cursor.MaxServed).Draw(t, "given")
		for range c.Shown {
			c.Served = c.Served.Append(c.Session, core.ID(rapid.Int64Min(1).Draw(t, "post")))
		}
	}
	return c
}

func TestACursorComesBackAsItWas(t *testing.T) {
	codec := codecAt(start)
	rapid.Check(t, func(t *rapid.T) {
		user, want := core.ID(rapid.Int64Min(1).Draw(t, "user")), drawCursor(t)
		token := codec.Encode(user, want)
		require.Less(t, len(token), 120+4*want.Served.Len()+3*len(want.Deferred))
		require.LessOrEqual(t, len(token), cursor.MaxLength)
		got, err := codec.Decode(user, token)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestACursorOfAnotherUserIsInvalid(t *testing.T) {
	codec := codecAt(start)
	_, err := codec.Decode(8, codec.Encode(7, cursor.Cursor{Algo: cursor.Ranked, StartedAt: start}))
	require.Equal(t, core.CodeInvalidCursor, core.CodeOf(err))
}

func TestACursorWithAnyByteChangedIsInvalid(t *testing.T) {
	codec := codecAt(start)
	token := codec.Encode(7, cursor.Cursor{Algo: cursor.Ranked, StartedAt: start, Session: 99, Shown: 20, Place: 20})
	for i := range token {
		for _, c := range []byte("Aa0-_.=") {
			if token[i] == c {
				continue
			}
			changed := []byte(token)
			changed[i] = c
			_, err := codec.Decode(7, string(changed))
			require.Equal(t, core.CodeInvalidCursor, core.CodeOf(err), "byte %d as %c", i, c)
		}
	}
	for _, malformed := range []string{
		"", "x", "%%%", token[:len(token)-1], token + "A", token + token,
		string(make([]byte, 1000)),
	} {
		_, err := codec.Decode(7, malformed)
		require.Equal(t, core.CodeInvalidCursor, core.CodeOf(err), "%q", malformed)
	}
}

func TestACursorExpires(t *testing.T) {
	token := codecAt(start).Encode(7, cursor.Cursor{Algo: cursor.Ranked, StartedAt: start})
	_, err := codecAt(start.Add(30*time.Minute)).Decode(7, token)
	require.NoError(t, err)
	_, err = codecAt(start.Add(31*time.Minute)).Decode(7, token)
	require.Equal(t, core.CodeCursorExpired, core.CodeOf(err))
}

func TestSecretsCanBeChangedWithoutEndingSessions(t *testing.T) {
	fresh := []byte("the next secret, also at least 32 bytes")
	token := codecAt(start).Encode(7, cursor.Cursor{Algo: cursor.Ranked, StartedAt: start})
	_, err := codecAt(start, fresh, secret).Decode(7, token)
	require.NoError(t, err)
	_, err = codecAt(start, fresh).Decode(7, token)
	require.Equal(t, core.CodeInvalidCursor, core.CodeOf(err))
}

func TestACursorOfBeforeItToldWhatWasGivenIsStillRead(t *testing.T) {
	body := []byte{1, 1, 7, 0, 0, 0, 0, 0, 0, 0} // version, ranked, session
	body = binary.AppendVarint(body, start.UnixMilli())
	body = append(body, 3, 20) // ranking, place
	mac := hmac.New(sha256.New, secret)
	mac.Write(append([]byte("feedrank cursor\x09\x00\x00\x00\x00\x00\x00\x00"), body...))
	old := base64.RawURLEncoding.EncodeToString(append(body, mac.Sum(nil)[:16]...))
	got, err := codecAt(start).Decode(9, old)
	require.NoError(t, err)
	require.Equal(t, cursor.Cursor{Algo: cursor.Ranked, Session: 7, StartedAt: start, Ranking: 3, Shown: 20, Place: 20},
		got)
	require.False(t, got.Tells())
}

func TestACursorKnowsWhatWasGivenAndHardlyAnythingElse(t *testing.T) {
	var given cursor.Served
	const session, posts = 12345, 500
	for i := range posts {
		given = given.Append(session, core.ID(1_000_000+i))
	}
	set, taken := given.Posts(session), 0
	for i := range 1_000_000 {
		if id := core.ID(2_000_000 + i); set.Has(id) {
			taken++
		}
	}
	for i := range posts {
		require.True(t, set.Has(core.ID(1_000_000+i)))
	}
	require.Less(t, taken, 100, "of a million")
	require.False(t, cursor.ServedPosts{}.Has(1))
}

func TestAVeryLongSessionLeavesOutWhatWasGiven(t *testing.T) {
	long := cursor.Cursor{Algo: cursor.Ranked, StartedAt: start, Shown: cursor.MaxServed + 1}
	for i := range long.Shown {
		long.Served = long.Served.Append(0, core.ID(i+1))
	}
	codec := codecAt(start)
	got, err := codec.Decode(7, codec.Encode(7, long))
	require.NoError(t, err)
	require.False(t, got.Tells())
	require.Equal(t, long.Shown, got.Shown)
}

func FuzzDecode(f *testing.F) {
	codec := codecAt(start)
	f.Add(codec.Encode(7, cursor.Cursor{Algo: cursor.Ranked, StartedAt: start}))
	f.Add(codec.Encode(7, cursor.Cursor{Algo: cursor.Timeline, StartedAt: start, LastPost: 5}))
	told := cursor.Cursor{Algo: cursor.Ranked, StartedAt: start, Shown: 1, Place: 3, Deferred: []int{1}}
	told.Served = told.Served.Append(0, 5)
	f.Add(codec.Encode(7, told))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		cur, err := codec.Decode(7, token)
		if err == nil {
			require.Equal(t, token, codec.Encode(7, cur))
		}
	})
}
