package token_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/token"
)

var signer = token.NewSigner([][]byte{[]byte("a secret of at least 32 bytes, for tests")})

func TestATokenComesBackForItsUserAndPostAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := token.Token{
			Session: rapid.Uint64().Draw(t, "session"), Ranking: rapid.Uint64().Draw(t, "ranking"),
			Position: rapid.IntRange(1, 500).Draw(t, "position"),
			Source:   rapid.SampledFrom([]string{"followees", "trending"}).Draw(t, "source"), Served: "cache",
		}
		user, post := core.ID(rapid.Int64Min(1).Draw(t, "user")), core.ID(rapid.Int64Min(1).Draw(t, "post"))
		text := string(signer.Append(nil, user, post, &want))
		require.LessOrEqual(t, len(text), token.MaxLength)
		got, err := signer.Parse(text, user, post)
		require.NoError(t, err)
		require.Equal(t, want, got)
		_, err = signer.Parse(text, user+1, post)
		require.ErrorIs(t, err, token.ErrInvalid)
		_, err = signer.Parse(text, user, post-1)
		require.ErrorIs(t, err, token.ErrInvalid)
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		_, err = signer.Parse(text[:at]+"~"+text[at+1:], user, post)
		require.ErrorIs(t, err, token.ErrInvalid)
	})
}

func FuzzParse(f *testing.F) {
	text := string(signer.Append(nil, 7, 8, &token.Token{Session: 5, Position: 1, Source: "popular", Served: "cache"}))
	f.Add(text)
	f.Add(strings.ReplaceAll(text, "popular", ""))
	f.Add("")
	f.Add("......")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := signer.Parse(text, 7, 8)
		if err == nil {
			require.Equal(t, text, string(signer.Append(nil, 7, 8, &got)))
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	t := token.Token{Session: 1 << 60, Ranking: 3, Position: 17, Source: "followees", Served: "cache"}
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		buffer = signer.Append(buffer[:0], 123456, 987654321, &t)
	}
}
