package keys

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/feedrank/feedrank/modules/core"
)

func keyOf(t require.TestingT, text string) core.Key {
	k, err := core.ParseKey(text)
	require.NoError(t, err)
	return k
}

func TestMemoryIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, want := newMemory(1<<20), map[core.ID]string{}
		texts := make([]string, rapid.IntRange(1, 300).Draw(t, "texts"))
		for i := range texts {
			texts[i] = fmt.Sprint("text ", i)
			if i%3 > 0 {
				texts[i] = uuid.NewSHA1(uuid.Nil, []byte{byte(i), byte(i >> 8)}).String()
			}
		}
		for range rapid.IntRange(1, 900).Draw(t, "steps") {
			k := keyOf(t, rapid.SampledFrom(texts).Draw(t, "key"))
			if rapid.IntRange(0, 3).Draw(t, "remove") == 0 {
				m.remove(k.ID)
				delete(want, k.ID)
				continue
			}
			if other := rapid.SampledFrom(texts).Draw(t, "other"); rapid.Bool().Draw(t, "changes") {
				k.Text = other
			}
			m.put(k.ID, k.Text)
			want[k.ID] = k.Text
		}
		for _, text := range texts {
			id := keyOf(t, text).ID
			got, ok := m.get(id)
			expected, known := want[id]
			require.Equal(t, known, ok)
			require.Equal(t, expected, got)
			for _, other := range texts {
				require.Equal(t, known && other == expected, m.is(id, other))
			}
		}
	})
}

func TestWhatIsRememberedForLongIsKnownStill(t *testing.T) {
	m := newMemory(2 * 64 * 4)
	asked := keyOf(t, uuid.NewString())
	m.put(asked.ID, asked.Text)
	for range 10_000 { // many generations
		k := keyOf(t, uuid.NewString())
		m.put(k.ID, k.Text)
		require.True(t, m.is(asked.ID, asked.Text))
		require.False(t, m.is(asked.ID, k.Text))
	}
}

func TestMemoryKeepsTextAsItWas(t *testing.T) {
	m := newMemory(1 << 20)
	id := uuid.NewString()
	for i, text := range []string{
		id, strings.ToUpper(id), "{" + id[2:] + "}", strings.ReplaceAll(id, "-", "_"), uuid.Nil.String(), "a",
		strings.Repeat("x", core.MaxKey), "01ARZ3NDEKTSV4RRFFQ69G5FAV",
	} {
		m.put(core.ID(i+1), text)
		got, ok := m.get(core.ID(i + 1))
		require.True(t, ok)
		require.Equal(t, text, got)
	}
}

func TestMemoryIsBoundedAndKeepsWhatIsAskedFor(t *testing.T) {
	const most = 64 * 100
	m := newMemory(most)
	asked := keyOf(t, "asked for all the time")
	m.put(asked.ID, asked.Text)
	for i := range 20 * most {
		k := keyOf(t, uuid.NewSHA1(uuid.Nil, fmt.Append(nil, i)).String())
		m.put(k.ID, k.Text)
		if i%100 == 0 {
			got, ok := m.get(asked.ID)
			require.True(t, ok)
			require.Equal(t, asked.Text, got)
		}
	}
	require.LessOrEqual(t, m.len(), most+64)
	require.Greater(t, m.len(), most/2)
}

// A post of the hot set takes about 110 bytes: with its key at most 1.3 times that.
func TestAUUIDTakesThirtyBytes(t *testing.T) {
	const n = 1_000_000
	ids := make([]core.ID, n)
	for i := range ids {
		ids[i] = core.ID(uint64(i+1) * 0x9e3779b97f4a7c15)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m := newMemory(8 * n)
	for i, id := range ids {
		m.put(id, textOf([16]byte{1, byte(i), byte(i >> 8), byte(i >> 16)}))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := float64(after.HeapAlloc-before.HeapAlloc) / n
	t.Logf("%.1f bytes a UUID", each)
	require.Less(t, each, 36.0)
	runtime.KeepAlive(m)
	runtime.KeepAlive(ids)
}
