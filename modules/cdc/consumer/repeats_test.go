package consumer

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
)

func streamed(last, lsn uint64, at time.Time) envelope.Source {
	return envelope.Source{
		LSN: lsn, CommittedAt: at,
		StreamPosition: envelope.StreamPosition{Known: last != 0, LastCommit: last, LSN: lsn},
	}
}

func TestARepeatIsRecognisedOnlyWhenItIsCertain(t *testing.T) {
	var r repeats
	key := []byte(`{"id":1}`)
	first := streamed(100, 110, noon)
	require.False(t, r.has(key, first), "nothing was seen yet")
	r.add(key, first)
	r.add(key, streamed(200, 150, noon.Add(time.Second))) // written before 200 committed, committed after
	require.True(t, r.has(key, first))
	require.False(t, r.has([]byte(`{"id":2}`), first),
		"of another key nothing is known: its change may have been given up when the later one was not")
	require.False(t, r.has(key, streamed(200, 150, noon.Add(time.Second))),
		"rows written together share a position, and so do the two records of a changed key")
	require.False(t, r.has(key, streamed(200, 160, noon.Add(time.Second))))
	require.False(t, r.has(key, streamed(300, 120, noon.Add(time.Second))),
		"later in the stream, though written earlier")
	require.False(t, r.has(key, streamed(0, 110, noon)), "no position: in doubt it is applied")
	require.False(t, r.has(key, streamed(5, 6, noon.Add(time.Hour))), "a rebuilt cluster starts low, but later")
	old := first
	old.Snapshot = envelope.Initial
	require.False(t, r.has(key, old))
	r.add(key, streamed(0, 170, noon.Add(time.Second)))
	require.False(t, r.has(key, first), "a change of an unknown place came after it")
	r.add(key, streamed(200, 150, noon.Add(time.Second)))
	r.add(key, old)
	require.False(t, r.has(key, first), "after a snapshot nothing is known of the stream")
}

func TestOnlyTheLatestKeysAreRemembered(t *testing.T) {
	var r repeats
	key := func(i int) []byte { return []byte(strconv.Itoa(i)) }
	for i := range 3 * remembered {
		r.add(key(i), streamed(200, 210, noon))
	}
	require.Len(t, r.last, remembered)
	require.Len(t, r.keys, remembered)
	for i := range 3 * remembered {
		require.Equal(t, i >= 2*remembered, r.has(key(i), streamed(100, 110, noon)), i)
	}
}
